"""Weights of a run: read from a checkpoint or a safetensors file, and written as safetensors.

A checkpoint is a pickle, of which :mod:`attnlab.callbacks.checkpoint_files` reads tensors and plain values only;
safetensors holds tensors and text alone.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from attnlab.atomic import replacing
from attnlab.callbacks import checkpoint_files
from attnlab.cli.trust import MODEL_PARTS, read
from attnlab.data.tokenizers.load import digest, load
from attnlab.errors import ConfigError, DataError

SUFFIX = ".safetensors"
PREFIX = "model."  # of the network's tensors in a checkpoint of the task
SIDES = ("source", "target")


def load_weights(network: nn.Module, file: Path, folder: Path) -> None:
    """Take over the weights of a checkpoint, or of a safetensors file that ``export`` wrote.

    Args:
        network: to be filled.
        file: with the weights.
        folder: of the run that the network was built from.

    Raises:
        ConfigError: they are of another model.
        DataError: the file holds no weights.
    """
    weights = from_safetensors(file, folder) if file.suffix == SUFFIX else from_checkpoint(file)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise another_model(str(file), detail) from error


def another_model(what: str, detail: str) -> ConfigError:
    """The error for weights that do not fit: what holds them, and the first thing that differs."""
    return ConfigError(
        f"{what}: these weights are of another model than the configuration builds ({detail}); "
        "leave the model's settings as they were in training"
    )


def from_checkpoint(file: Path) -> dict[str, Tensor]:
    """The network's tensors in a checkpoint; nothing in it is executed.

    Raises:
        DataError: it is none, is damaged, or is made of more than tensors and plain values.
    """
    state = checkpoint_files.read(file)["state_dict"]
    return {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}


def from_safetensors(file: Path, folder: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, if they are of this run's model and vocabularies.

    Raises:
        ConfigError: they are of others.
        DataError: it is no such file.
    """
    from safetensors import SafetensorError, safe_open  # most commands read checkpoints and do without

    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            said = opened.metadata() or {}
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError) as error:
        raise DataError(f"{file}: no safetensors file ({str(error).splitlines()[0]})") from error
    for key, value in identity(folder).items():
        if key in said and said[key] != value:
            raise ConfigError(f"{file}: its {key} is {said[key]}, that of {folder} is {value}; take the run it is of")
    return weights


def save_weights(folder: Path, checkpoint: Path, output: Path) -> None:
    """Write the weights of a checkpoint of a run as safetensors, with what they are of as metadata.

    Tied weights are written twice.

    Raises:
        ConfigError: the weights are of another model than the run's own.
        DataError: as ``from_checkpoint``.
    """
    from safetensors.torch import save_file

    weights = {name: value.clone().contiguous() for name, value in from_checkpoint(checkpoint).items()}
    require_of_run(weights, checkpoint, folder)
    about = {"format": "pt", "checkpoint": checkpoint.stem, **identity(folder)}
    with replacing(output) as temporary:
        save_file(weights, temporary, metadata=about)


def require_of_run(weights: Mapping[str, Tensor], checkpoint: Path, folder: Path) -> None:
    """See that a checkpoint from elsewhere has the tensors that a run's own have: its name is put on them.

    Raises:
        ConfigError: it has others.
        DataError: it has none.
    """
    if not weights:
        raise DataError(f"{checkpoint}: no tensor of a model is in it")
    own = next((file for name in ("best", "last") if (file := folder / "checkpoints" / f"{name}.ckpt").is_file()), None)
    if own is None or own.samefile(checkpoint):
        return
    kept = from_checkpoint(own)
    for name in sorted({*weights, *kept}):
        here, there = (list(found[name].shape) if name in found else "nothing" for found in (weights, kept))
        if here != there:
            raise another_model(str(checkpoint), f"{name} is {here}, in {own} {there}")


def identity(folder: Path) -> dict[str, str]:
    """What weights fit to: the recorded configuration of the model, and what was made of the data.

    Raises:
        DataError: a tokenizer is damaged.
    """
    config = read(folder)
    parts = {name: config.get(name) for name in (*MODEL_PARTS, "position", "self_attention")}
    found = {"config_sha256": hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()}
    for path in sorted((folder / "tokenizer").glob("*.json")):
        if path.stem in SIDES:
            found[f"{path.stem}_vocabulary"] = str(len(load(path)))
        found[f"{path.stem}_tokenizer_sha256"] = digest(path)
    return found
