"""What a corpus is: named splits of sentence pairs, read as a stream."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from attnlab.errors import ConfigError, DataError


class Alignment(NamedTuple):
    """Gold word alignment of one pair; sure links are possible ones too (Och and Ney 2003)."""

    source_words: tuple[str, ...]  #: in order; each occurs in the source text, left to right
    target_words: tuple[str, ...]
    sure: tuple[tuple[int, int], ...]  #: (source word, target word), counted from 0
    possible: tuple[tuple[int, int], ...]  #: superset of ``sure``

    def check(self) -> None:
        """See that the links are of words that there are; others would count as missed for ever.

        Raises:
            DataError: one is not.
        """
        if self._right((*self.sure, *self.possible)):
            return
        for name, links in (("sure", self.sure), ("possible", self.possible)):
            for link in (link for link in links if not self._right([link])):
                raise DataError(
                    f"{name} link {link!r:.60}: expected (source word, target word), whole numbers from 0 and below "
                    f"{len(self.source_words)} and {len(self.target_words)}"
                )

    def _right(self, links: Sequence[Any]) -> bool:
        """All at once: a training split has a million."""
        if not links:
            return True
        try:
            source, target = zip(*links, strict=True)
        except (TypeError, ValueError):  # no pairs
            return False
        if set(map(type, source + target)) != {int}:
            return False
        sizes = len(self.source_words), len(self.target_words)
        return min(source) >= 0 and min(target) >= 0 and max(source) < sizes[0] and max(target) < sizes[1]


class Pair(NamedTuple):
    """One sentence and its translation: plain text, stripped, NFC, plain blanks."""

    source: str
    target: str
    alignment: Alignment | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return self.source, self.target


@runtime_checkable
class Item(Protocol):
    """What splits consist of: hashable, known by its texts."""

    @property
    def texts(self) -> tuple[str, ...]:
        """By which it is drawn, and by which two are seen to share something."""
        ...


ItemT = TypeVar("ItemT", bound=Item)


class Report:
    """What a corpus left out, counted by split and reason while it is read.

    Reading a split again counts that split afresh, so that a number is never a multiple of the truth.
    A corpus that cuts its splits out of one file counts what concerns the whole file under ``"all"``.
    """

    def __init__(self) -> None:
        self.pairs: dict[str, int] = {}  #: pairs delivered, by split
        self.skipped: dict[str, Counter[str]] = {}  #: pairs left out, by split and reason
        self.first: dict[tuple[str, str], str] = {}  #: where the first one of (split, reason) stands

    def begin(self, split: str) -> None:
        """Forget what was counted for ``split``."""
        self.pairs[split] = 0
        self.skipped[split] = Counter()
        self.first = {key: where for key, where in self.first.items() if key[0] != split}

    def keep(self, split: str) -> None:
        """Count one pair delivered."""
        self.pairs[split] = self.pairs.get(split, 0) + 1

    def skip(self, split: str, reason: str, where: str = "") -> None:
        """Count one pair left out; ``where`` (file and line) is remembered for the first of its kind."""
        self.skipped.setdefault(split, Counter())[reason] += 1
        self.first.setdefault((split, reason), where)

    def total(self, split: str | None = None) -> int:
        """Pairs left out of one split, or of all."""
        counts = self.skipped.values() if split is None else [self.skipped.get(split, Counter())]
        return sum(count.total() for count in counts)

    def lines(self) -> list[str]:
        """One readable line for every (split, reason): ``train: 3 skipped: empty side (first: a.txt:7)``."""
        return [
            f"{split}: {count} skipped: {reason}"
            + (f" (first: {self.first[split, reason]})" if self.first.get((split, reason)) else "")
            for split, reasons in self.skipped.items()
            for reason, count in reasons.items()
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())


@runtime_checkable
class HasSplits(Protocol):
    """What is asked for a split."""

    name: str

    @property
    def splits(self) -> tuple[str, ...]: ...


@runtime_checkable
class Corpus(Protocol):
    """Sentence pairs of two languages in splits that share no pair.

    The constructor takes plain values only; its signature is the schema of ``conf/dataset/<name>.yaml``.
    """

    name: str
    source_language: str  #: ISO 639-1: "en", "de", …
    target_language: str
    report: Report

    @property
    def splits(self) -> tuple[str, ...]:
        """``("train", "val", "test")`` and then further test splits, such as ``"test_long"``."""
        ...

    def read(self, split: str) -> Iterator[Pair]:
        """Stream the pairs of a split, the same ones in the same order at each call.

        Raises:
            attnlab.types.DataError: the split is unknown, or the files cannot be used.
        """
        ...

    def fingerprint(self) -> str:
        """Hash of the content and of every setting that decides what ``read`` yields."""
        ...


def require_pairs(corpus: Any) -> None:
    """Refuse a corpus of something else than sentence pairs.

    Raises:
        ConfigError: it is one.
    """
    if not hasattr(corpus, "source_language"):
        name = getattr(corpus, "name", corpus)
        raise ConfigError(f"dataset: {name} has no sentence pairs, which task=translation asks for")


def require_split(corpus: "HasSplits", split: str) -> None:
    """Refuse a split that a corpus does not have.

    Raises:
        DataError: names the splits there are, and the nearest one.
    """
    if split not in corpus.splits:
        near = get_close_matches(split, corpus.splits, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise DataError(f"{corpus.name} has no split {split!r}{hint}; it has {', '.join(corpus.splits)}")


def checked(corpus: Corpus, split: str) -> Iterator[Pair]:
    """The pairs of a split; a gold alignment of somebody else's corpus may have any links."""
    for number, pair in enumerate(corpus.read(split)):
        try:
            if pair.alignment is not None:
                pair.alignment.check()
        except DataError as error:
            raise DataError(f"{corpus.name}, {split}, pair {number} ({pair.source!r:.60}): {error}") from None
        yield pair
