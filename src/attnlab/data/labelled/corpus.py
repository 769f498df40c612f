"""What a corpus of labelled texts is: named splits of texts with a class each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from attnlab.data.corpus import ItemT, Report
from attnlab.data.reading import Faults, Malformed, Stream, content_hash, find
from attnlab.data.splitting import Apart, Fold, Size, Split, Splits
from attnlab.data.text import field
from attnlab.types import ConfigError, DataError

MOST_CLASSES = 20  #: that may have a text each


class Example(NamedTuple):
    """A text and its class."""

    text: str  #: cleaned, see :mod:`attnlab.data.text`; of a document a sentence a line
    label: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)


Examples = Iterator[Example]


@runtime_checkable
class Source(Protocol):
    """Named splits of items, each with its texts and what is to be told of it."""

    name: str

    @property
    def splits(self) -> tuple[str, ...]: ...

    def read(self, split: str) -> Iterable[Any]: ...

    def fingerprint(self) -> str: ...


@runtime_checkable
class Corpus(Source, Protocol):
    """What a task of labelled texts reads."""

    labelled: bool  #: true: what it reads has a class


class Drawn(NamedTuple):
    """What is held out from train where a split has no file of its own.

    Attributes:
        val_size: examples (int) or share (float below 1).
        test_size: likewise.
        seed: of the draw.
        fold: of a cross-validation; it is what is tested.
    """

    val_size: Size = 0.1
    test_size: Size = 0.1
    seed: int = 0
    fold: Fold | None = None


class DrawnCorpus(Split[ItemT]):
    """Items of files, in splits that share none; what val or a test split has is left out of train.

    Args:
        name: for messages and tables.
        files: by split; val, and test unless it has a file, are held out from train.
        read: the items of one file.
        drawn: how.
        malformed: leave malformed items out with a count, or stop at the first.
        settings: what else decides what ``read`` yields.
        source: where the files come from, in words, for who lacks them.

    Attributes:
        published: so many folds came with the data; which one an example is in is its ``part``.
    """

    apart: ClassVar[Apart] = "pair"  #: what splits may not share
    item: ClassVar[str] = "pair"  #: the word for what they consist of
    published: ClassVar[int | None] = None

    def __init__(
        self,
        name: str,
        files: Mapping[str, Path],
        read: Callable[[Path, Faults], Iterator[ItemT]],
        drawn: Drawn,
        malformed: Malformed,
        settings: Mapping[str, object] | None = None,
        source: str = "",
    ) -> None:
        self.name, self.report, self.source = name, Report(), source
        if drawn.fold is not None:  # the folds are of the training file, and one of them is the test
            files = {split: path for split, path in files.items() if not split.startswith("test")}
        self.files, self._read, self._malformed = files, read, malformed
        self._settings = {"corpus": name, "drawn": list(drawn), "malformed": malformed, **(settings or {})}
        streams: dict[str, Stream[ItemT]] = {split: partial(self._stream, split) for split in files}
        self.set_splits(streams, drawn)

    def set_splits(self, streams: Mapping[str, Stream[ItemT]], drawn: Drawn) -> None:
        val_size, test_size, seed, fold = drawn
        self._splits = Splits(
            self.name, streams, self.apart, val_size, test_size, seed, fold, self.item, self.published
        )

    def path(self, split: str) -> Path:
        """The file of a split.

        Raises:
            DataError: it is missing.
        """
        path = self.files[split]
        if self.source and not path.is_file():
            raise DataError(
                f"missing file {path}[.gz]; get it from {self.source}, or set paths.data (variable ATTNLAB_DATA) to "
                "the folder that has it"
            )
        return path

    def _stream(self, name: str, report: Report, split: str) -> Iterator[ItemT]:
        return self._read(self.path(name), Faults(self._malformed, report, split))

    def fingerprint(self) -> str:
        return content_hash({**self._settings, "splits": list(self.files)}, map(self.path, self.files))


class LabelledCorpus(DrawnCorpus[Example]):
    """Texts with a class each, in splits that share no text."""

    labelled = True
    apart: ClassVar[Apart] = "sentence"
    item: ClassVar[str] = "example"


def named_files(corpus: str, example: str, **names: str | None) -> dict[str, Path]:
    """The files that a user names, by split.

    Raises:
        ConfigError: there is none; what to write.
    """
    files = {split: Path(name) for split, name in names.items() if name is not None}
    if not files:
        raise ConfigError(f"{corpus}: no file is named; set dataset.train={example}")
    return files


def public_files(folder: Path, parts: Mapping[str, str], test: str = "", dev: str = "") -> dict[str, Path]:
    """The files of a public data set, by split.

    Where ``test`` is there it is the test split, and ``dev`` a further one; where it is not, ``dev`` is the test split.

    Args:
        folder: where they lie, plain or ``.gz``.
        parts: name of a file by split, each of which has to be there.
        test: name of a file.
        dev: likewise.
    """
    wanted = dict(parts)
    if test and find(folder, test) is not None:
        wanted |= {"test": test} | ({"test_dev": dev} if dev else {})
    elif dev:
        wanted["test"] = dev
    return {split: find(folder, name) or folder / name for split, name in wanted.items()}


def example(text: str, label: str, names: Mapping[str, str] | None = None) -> Example | str:
    """A text and its label, cleaned and called by its name; what is wrong with them where one cannot be used."""
    found, name = field(text), field(label)
    if found.fault:
        return "nothing shows in the text" if found.fault == "empty side" else found.fault
    if name.fault:
        return "no label" if name.fault == "empty side" else f"{name.fault} in the label"
    if names is not None and name.text not in names:
        return f"a label that is none of {', '.join(names)}"
    return Example(found.text, name.text if names is None else names[name.text])


def require_labelled(corpus: Any) -> None:
    """Refuse a corpus of something else than labelled texts.

    Raises:
        ConfigError: it is one.
    """
    if not isinstance(corpus, Corpus):
        name = getattr(corpus, "name", corpus)
        raise ConfigError(f"dataset: {name} has no labelled texts, which task=classification asks for")


def check_fold(fold: Fold | None, splits: Mapping[str, object]) -> None:
    """Raise ConfigError where there is nothing to cut into folds."""
    if fold is not None and "train" not in splits:
        raise ConfigError("folds: there is no training file to cut into folds; set dataset.train")


def require_labels(labels: Sequence[str], name: str) -> list[str]:
    """The classes of a training split.

    Args:
        labels: of each of its texts.
        name: of the corpus, for messages.

    Raises:
        DataError: there are not two of them, or hardly a text is like another one.
    """
    classes = sorted(set(labels))
    if len(classes) < 2:
        raise DataError(
            f"{name}: training texts have {len(classes)} class ({', '.join(classes)}), expected two or more"
        )
    if len(classes) > max(MOST_CLASSES, len(labels) / 2):
        raise DataError(
            f"{name}: {len(labels):,} training texts have {len(classes):,} classes, such as {classes[0]!r:.60}; is the "
            "label in another column? Set dataset.columns to those of text and label, or dataset.format"
        )
    return classes


def class_numbers(rows: Sequence[Any], classes: Sequence[str], where: str) -> NDArray[np.int64]:
    """The number of the class of each example.

    Raises:
        DataError: there is no such class.
    """
    numbers = {label: number for number, label in enumerate(classes)}
    for place, row in enumerate(rows):
        if row.label not in numbers:
            raise DataError(
                f"{where} example {place}: its label is {row.label!r}, and the run knows "
                f"{', '.join(classes[:12])}; dataset.labels={{…}} says what labels are called"
            )
    return np.array([numbers[row.label] for row in rows], np.int64)


def drawn(rows: list[ItemT], size: int) -> list[ItemT]:
    """So many at random, in their order, the same ones in every run."""
    if size >= len(rows):
        return rows
    return [rows[number] for number in np.sort(np.random.default_rng(0).permutation(len(rows))[:size])]
