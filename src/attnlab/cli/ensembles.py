"""Further runs that translate with one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from attnlab.cli import build
from attnlab.cli.config.command_line import trusting
from attnlab.cli.errors import MistakesError
from attnlab.cli.runs import checkpoint_file, find
from attnlab.cli.trust import MODEL_PARTS, read, recorded
from attnlab.cli.weights import SIDES, load_weights
from attnlab.data.tokenizers.load import digest, load
from attnlab.errors import ConfigError
from attnlab.models.seq2seq import Seq2Seq


def folders_of_members(config: DictConfig) -> list[Path]:
    """The run folders of ``config.ensemble``; none where a command has no such setting."""
    return [find(str(name), "ensemble").resolve() for name in config.get("ensemble") or ()]


def members(config: DictConfig, folder: Path) -> list[Seq2Seq]:
    """The models of ``config.ensemble``, each with the weights of its best checkpoint.

    Args:
        config: of the command.
        folder: of the run that they translate with.

    Raises:
        MistakesError: one is no run, translates nothing, or has other tokenizers than ``folder``.
    """
    found = folders_of_members(config)
    twice = next((place for number, place in enumerate(found) if place in (folder, *found[:number])), None)
    if twice is not None:
        raise MistakesError([f"ensemble: {twice} comes twice; name each run once, and that of run=… not again"])
    return [_member(config, folder, place) for place in found]


def halve(models: Sequence[Any]) -> None:
    """Round products with the vocabulary, see ``Seq2Seq.halve_output``; ``models`` are where they will search.

    Raises:
        ConfigError: one is not made for it, or translates nothing.
    """
    for model in models:
        if not isinstance(model, Seq2Seq):
            raise ConfigError("half_output: it is of runs that translate; leave it out")
        model.halve_output()


def _member(config: DictConfig, folder: Path, place: Path) -> Seq2Seq:
    if read(folder).get("search") is None or read(place).get("search") is None:
        raise MistakesError([f"ensemble: {place} and {folder} do not both translate: take runs of task=translation"])
    for side in SIDES:
        if digest(place / "tokenizer" / f"{side}.json") != digest(folder / "tokenizer" / f"{side}.json"):
            raise MistakesError([
                f"ensemble: the {side} tokenizer of {place} is not that of {folder}: probabilities of the same words "
                "are averaged, so take runs of the same data and tokenizer"
            ])  # fmt: skip
    return model_of(place, trusting(config.trust))


def model_of(place: Path, trust: Sequence[str] = ()) -> Seq2Seq:
    """The model of a run that translates, with the weights of its best checkpoint, for search.

    Args:
        place: its folder.
        trust: what the command line says whom it may be built of.

    Raises:
        MistakesError: it translates nothing, or may not be built.
    """
    if read(place).get("search") is None:
        raise MistakesError([f"{place}: its task translates nothing; expected a run of task=translation"])
    own = OmegaConf.create(recorded(place, ("seed", *MODEL_PARTS), trust))
    sizes = [len(load(place / "tokenizer" / f"{side}.json")) for side in SIDES]
    return network(own, place, "best", sizes).eval()


def network(config: DictConfig, folder: Path, checkpoint: str, sizes: Sequence[int]) -> Seq2Seq:
    """The model that a configuration builds, for vocabularies of these sizes, with the weights of a checkpoint."""
    model: Any = build.model(config, {f"{side}_vocabulary": n for side, n in zip(SIDES, sizes, strict=True)})
    load_weights(model, checkpoint_file(folder, checkpoint), folder)
    built: Seq2Seq = model
    return built
