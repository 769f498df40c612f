"""What goes into a run and what comes out of it, for loggers whose service keeps track of where things come from."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from attnlab.data.base import TaskData

CARD = "data_card.json"


class Kept(NamedTuple):
    """Something with a version: the same content under the same name is the same version, whoever tells of it."""

    kind: str  #: dataset, tokenizer, model, evaluation, comparison
    name: str  #: empty for what one run alone has: it is named after the run
    files: Mapping[str, Path]  #: by their names in it
    texts: Mapping[str, str] = {}  #: likewise, files to be made
    about: Mapping[str, Any] = {}
    given: bool = False  #: to the run; else the run has made it
    uploaded: bool = True  #: else it is only noted where the files lie, and what is in them, by a checksum
    aliases: tuple[str, ...] = ()


@runtime_checkable
class Archive(Protocol):
    """A logger whose service keeps track."""

    def keep(self, kept: Kept) -> None:
        """Note it."""


def keeps(loggers: Iterable[object]) -> bool:
    """Whether any of them keeps track; what would be noted need not be found out where none does."""
    return any(isinstance(logger, Archive) for logger in loggers)


def keep(loggers: Iterable[object], *things: Kept) -> None:
    """Note things by whatever loggers keep track."""
    for logger in loggers:
        if isinstance(logger, Archive):
            for thing in things:
                logger.keep(thing)


def under(folder: Path, name: str) -> dict[str, Path]:
    """All files of a folder in ``folder``, by their paths from there."""
    return {path.relative_to(folder).as_posix(): path for path in sorted((folder / name).rglob("*")) if path.is_file()}


def data_set(data: TaskData, folder: Path, fingerprint: str | None = None) -> Kept:
    """What a run is trained on: not the data, but what they are recognised by, and their card.

    Args:
        data: of the run.
        folder: where their card is.
        fingerprint: that of the training, where some of its data are used again; None for that of ``data``.
    """
    card = {CARD: folder / CARD} if (folder / CARD).is_file() else {}
    about = {"corpus": data.corpus_name, "items": {split: data.size(split) for split in data.splits}}
    return Kept(
        "dataset",
        f"data-{data.corpus_name}",
        card,
        {"fingerprint.txt": fingerprint or data.fingerprint()},
        about,
        given=True,
    )


def tokenizer(data: TaskData, folder: Path) -> list[Kept]:
    """What was made of the training split; nothing where nothing was."""
    files = under(folder, "tokenizer")
    return [Kept("tokenizer", f"tokenizer-{data.corpus_name}", files)] if files else []


def model(folder: Path, checkpoint: Path, name: str = "", given: bool = False, uploaded: bool = True) -> Kept:
    """A run folder as far as it takes one to load the run: ``attnlab.load("<entity>/<project>/model-<run>:best")``."""
    recorded = (folder / ".hydra" / part for part in ("config.yaml", "hydra.yaml", "overrides.yaml"))
    files = {path.relative_to(folder).as_posix(): path for path in recorded if path.is_file()}
    files |= under(folder, "tokenizer") | {f"checkpoints/{checkpoint.name}": checkpoint}
    return Kept("model", name, files, given=given, uploaded=uploaded, aliases=() if given else ("best",))


def evaluation(folder: Path, splits: Iterable[str], name: str = "", given: bool = False) -> Kept:
    """The scores of a run, and a line for each item that it was tested on."""
    files = {path.name: path for path in (folder / "metrics.json", *(folder / f"{split}.jsonl" for split in splits))}
    return Kept("evaluation", name, {key: path for key, path in files.items() if path.is_file()}, given=given)
