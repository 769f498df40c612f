"""What a training starts from when it goes on: a checkpoint that fits, the files of its run, the same data."""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from attnlab.atomic import replacing
from attnlab.callbacks import checkpoint_files
from attnlab.cli import build
from attnlab.cli.trust import CONFIG
from attnlab.cli.weights import another_model, from_checkpoint
from attnlab.imports import thing
from attnlab.runs import legacy
from attnlab.runs.ending import FINISHED
from attnlab.types import ConfigError, DataError

if TYPE_CHECKING:
    from attnlab.data.base import TaskData

DATA = "data.json"
TAKEN = 2  #: how fingerprints are taken; a run that does not say it took them otherwise
BROUGHT = ("checkpoints/[!.]*", "tokenizer/[!.]*", "history.jsonl", DATA)  # of a run folder, to go on elsewhere


def check_weights(config: DictConfig, checkpoint: Path) -> None:
    """See that the weights of a checkpoint are of the model that is configured, whatever the data's dimensions are.

    Raises:
        ConfigError: they are not, or it is a model that goes on from none.
        DataError: the file is damaged, or no checkpoint.
    """
    if (name := fitted_at_once(config)) is not None:
        require_something_to_do(config, checkpoint, name)
        return  # it is fitted anew, with the sizes of its data
    found = {name: tuple(value.shape) for name, value in from_checkpoint(checkpoint).items()}
    least = build.smallest(config)
    small, large = (
        {name: tuple(value.shape) for name, value in build.model(config, dimensions).state_dict().items()}
        for dimensions in (least, {name: size + 1 for name, size in least.items()})
    )
    if differing := [*{**small, **found}.keys() - (small.keys() & found.keys())]:
        raise another_model(f"ckpt_path={checkpoint}", f"{sorted(differing)[0]} is in one of them only")
    for name, shape in small.items():
        same = [size == other for size, other in zip(shape, large[name], strict=True)]  # not of the data
        if len(shape) != len(found[name]) or any(
            fixed and size != there for fixed, size, there in zip(same, shape, found[name], strict=True)
        ):
            detail = f"{name} is {list(found[name])} there and {list(shape)} here"
            raise another_model(f"ckpt_path={checkpoint}", detail)


def fitted_at_once(config: DictConfig) -> str | None:
    """The name of a model that no gradient trains; None for any other."""
    kind = thing(config.model._target_)
    return str(kind.__name__) if getattr(kind, "fitted_at_once", False) else None


def require_something_to_do(config: DictConfig, checkpoint: Path, name: str) -> None:
    """A model that is fitted at once goes on with nothing but the tests that an ended run of it lacks.

    Raises:
        ConfigError: the run is finished, or another one is to go on from its checkpoint.
    """
    origin = checkpoint.resolve().parent.parent
    if config.resume is None or (origin / FINISHED).is_file():
        asked = f"ckpt_path={checkpoint}" if config.resume is None else f"resume={config.resume}"
        raise ConfigError(
            f"{asked}: {name} is fitted at once to all training texts, so there is nothing to go on with; start a new "
            "run, without it"
        )


def bring(checkpoint: Path, folder: Path) -> None:
    """Make the folder whole where a run goes on that was elsewhere: its files come along, if it goes on from its last.

    Args:
        checkpoint: that training goes on from.
        folder: of the run that begins.
    """
    origin = checkpoint.resolve().parent.parent
    if checkpoint.name != "last.ckpt" or origin == folder.resolve() or not (origin / CONFIG).is_file():
        return
    for pattern in BROUGHT:
        for path in origin.glob(pattern):
            target = folder / path.relative_to(origin)
            if path.is_file() and not target.exists():
                with replacing(target) as temporary:
                    shutil.copyfile(path, temporary)


def check_data(data: "TaskData", folder: Path, checkpoint: Path | None) -> None:
    """See that a run that goes on has the data that it began with, and record them for those to come.

    Args:
        data: set up.
        folder: of the run.
        checkpoint: that it goes on from, if it does.

    Raises:
        DataError: they are others, or other batches in the middle of an epoch.
    """
    file = folder / DATA
    batches = data.batching()
    now = {"corpus": data.corpus_name, "fingerprint": data.fingerprint(), "taken": TAKEN, "batches": batches}
    before: dict[str, Any] = {}
    if checkpoint is not None:
        with suppress(OSError, ValueError):  # of an earlier version: nothing is known
            found = json.loads(file.read_text("utf-8"))
            before = found if isinstance(found, dict) else {}
    if before.get("fingerprint", now["fingerprint"]) != now["fingerprint"] and not legacy.tells_nothing(before):
        raise DataError(
            f"{folder}: the data set {data.corpus_name}, or its tokenizer, is not what the run began with (fingerprint "
            f"{before['fingerprint']}, now {now['fingerprint']}): it goes on with the same data; start a new run"
        )
    if checkpoint is not None and before.get("batches", batches) != batches and within_an_epoch(checkpoint):
        raise DataError(
            f"{checkpoint} was saved within an epoch, of which so many batches are done: their size (data.batch_size, "
            "batch_tokens, pool, max_length) can change at the end of an epoch only; leave it for now"
        )
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(now) + "\n", "utf-8")


def within_an_epoch(checkpoint: Path) -> bool:
    loops = checkpoint_files.read(checkpoint)["loops"]
    return not loops["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]
