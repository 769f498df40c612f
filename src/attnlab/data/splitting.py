"""Cutting a corpus into train, val and test so that no two of them share an item (a sentence pair, a labelled text).

What is held out is decided by a hash of seed and text, not by position: the same pairs are held out whatever
the direction of translation, and adding lines to a file moves few of the others.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Generic, Literal, NamedTuple

from attnlab.data.corpus import Item, ItemT, Pair, Report, require_split
from attnlab.data.reading import Stream, deliver
from attnlab.ranges import Fraction, ZeroOrMore
from attnlab.types import ConfigError, DataError

Apart = Literal["pair", "sentence"]  #: what no two splits may share: a whole pair, or a sentence of either side
Size = ZeroOrMore | Fraction  #: a number of pairs, or a share below 1


class Fold(NamedTuple):
    """One part of a cross-validation: what is tested."""

    number: int  #: from 0
    of: int

    @classmethod
    def of_settings(cls, fold: int | None, folds: int | None) -> "Fold | None":
        """The settings ``dataset.fold`` and ``dataset.folds``; None where neither is given.

        Raises:
            ConfigError: one is missing, or there is no such fold.
        """
        if fold is None and folds is None:
            return None
        if fold is None or folds is None or not 0 <= fold < folds or folds < 2:
            raise ConfigError(f"fold={fold} folds={folds}: expected two folds or more, and one of 0 to folds - 1")
        return cls(fold, folds)


def rank(seed: int, item: Item) -> int:
    """A pseudo-random number below 2^64, the same for both directions of translation."""
    text = "\0".join((str(seed), *sorted(item.texts)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def count(size: Size, total: int, option: str) -> int:
    """A size in pairs: an int is a number of pairs, a float below 1 a share of ``total``.

    Raises:
        ConfigError: negative, or a float of 1 or more.
    """
    if size < 0 or (isinstance(size, float) and size >= 1):
        raise ConfigError(f"{option}={size}: expected a number of pairs (0, 500, …) or a share below 1 (0.05)")
    return round(size * total) if isinstance(size, float) else size


class Reserved:
    """Items that belong to one split and must not turn up in another."""

    def __init__(self, items: Iterable[Item], apart: Apart) -> None:
        self._apart = apart
        self._items: set[tuple[str, ...]] = set()  # a gold alignment makes no other pair of it
        self._sides: dict[int, set[str]] = {}
        for item in items:
            self.add(item)

    def add(self, item: Item) -> None:
        if self._apart == "pair":
            self._items.add(item.texts)
        else:
            for side, text in enumerate(item.texts):
                self._sides.setdefault(side, set()).add(text)

    def __contains__(self, item: Item) -> bool:
        return item.texts in self._items or any(item.texts[side] in texts for side, texts in self._sides.items())


class Splits(Generic[ItemT]):
    """Splits from one stream each; val and test, where no stream is given for them, are held out from train.

    Test splits are served whole, val without what a test split has, train without what any other has.
    Held-out parts contain a repeated item once. Memory: the items of val and test.

    Args:
        corpus: name for messages.
        streams: by split.
        apart: what counts as shared.
        val_size: pairs or share of train; read where val has no stream.
        test_size: likewise.
        seed: of the draw.
        fold: of a cross-validation, which is then what is tested; ``test_size`` does not matter.
        item: the word for what the splits consist of.
        published: folds that came with the data; which one an item is in stands in its ``part``.

    Raises:
        ConfigError: a size is out of range.
    """

    def __init__(
        self,
        corpus: str,
        streams: Mapping[str, Stream[ItemT]],
        apart: Apart,
        val_size: Size = 0,
        test_size: Size = 0,
        seed: int = 0,
        fold: Fold | None = None,
        item: str = "pair",
        published: int | None = None,
    ) -> None:
        self._published = published
        self._corpus, self.streams, self._apart, self._seed = corpus, streams, apart, seed
        self._fold, self._item = fold, item
        self._tests = ("test", *(split for split in streams if split not in ("train", "val", "test")))
        sizes = {"test": test_size, "val": val_size}
        self._wanted = {split: size for split, size in sizes.items() if split not in streams}
        for split, size in self._wanted.items():
            count(size, 0, f"{split}_size")
        self._chosen: dict[str, set[ItemT]] | None = None
        self._faults = Report()  #: of the last reading of train that counts nothing
        self._reserved: dict[str, Reserved] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return ("train", "val", *self._tests)

    def read(self, split: str, report: Report) -> Iterator[ItemT]:
        """Stream one split; what is left out of it is counted in ``report``."""
        return deliver(self._read(split, report), report, split, self._corpus, self._item)

    def _read(self, split: str, report: Report) -> Iterator[ItemT]:
        if split in self.streams:
            return self._without_others(self.streams[split](report, split), split, report)
        if "train" in self.streams:
            return self._held_out(split)
        raise DataError(f"{self._corpus}: no file is named for {split!r}, nor for 'train' to hold it out from")

    def _held_out(self, split: str) -> Iterator[ItemT]:
        left = set(self._choose()[split])
        for pair in self._train():
            if pair in left:
                left.remove(pair)
                yield pair
                if not left:
                    return

    def _without_others(self, pairs: Iterator[ItemT], split: str, report: Report) -> Iterator[ItemT]:
        others = {"train": (*self._tests, "val"), "val": self._tests}.get(split, ())
        reserved = [(other, self._reserve(other)) for other in others]
        moved = set[ItemT]().union(*(self._choose().values() if split == "train" and self._wanted else ()))
        for number, pair in enumerate(pairs, 1):
            owner = next((other for other, theirs in reserved if pair in theirs), None)
            if owner is None:
                yield pair
            elif pair in moved:
                moved.remove(pair)  # it went to that split and is not lost; a repetition of it is
            else:
                what = self._apart if self._item == "pair" else "text"
                report.skip(split, f"{what} also in {owner}", f"{self._item} {number}")

    def _reserve(self, split: str) -> Reserved:
        """What belongs to val or to a test split."""
        if split not in self._reserved:
            stream = self.streams.get(split)
            pairs = stream(Report(), split) if stream else self._choose()[split]
            self._reserved[split] = Reserved(pairs, self._apart)
        return self._reserved[split]

    def _train(self) -> Iterator[ItemT]:
        """The training stream with faults counted nowhere: they are counted when train itself is read."""
        self._faults = Report()
        return self.streams["train"](self._faults, "train")

    def _choose(self) -> dict[str, set[ItemT]]:
        """The pairs of the parts that are held out from train, drawn at the first call."""
        if self._chosen is None:
            shares = any(isinstance(size, float) for size in self._wanted.values())
            total = sum(1 for _ in self._train()) if shares else 0
            sizes = {split: count(size, total, f"{split}_size") for split, size in self._wanted.items()}
            if self._fold is not None:
                self._chosen = self._choose_fold(self._fold, sizes)
                return self._chosen
            given = [self._reserve(split) for split in (*self._tests, "val") if split in self.streams]
            free = (pair for pair in self._train() if not any(pair in theirs for theirs in given))
            number = sum(sizes.values())
            lowest = lowest_ranked(free, number, lambda pair: rank(self._seed, pair))
            if len(lowest) < number:
                options = " or ".join(f"{split}_size" for split in sizes)
                why = "".join(f"; {line}" for line in self._faults.lines())
                raise DataError(
                    f"{self._corpus}: {number} {self._item}s to hold out for {' and '.join(sizes)}, but there are "
                    f"only {len(lowest)} different ones; lower {options}{why}"
                )
            self._chosen = self._share_out(lowest, sizes)
        return self._chosen

    def _choose_fold(self, fold: Fold, sizes: Mapping[str, int]) -> dict[str, set[ItemT]]:
        """A fold for test; of the rest, what ranks lowest for val."""
        test: set[ItemT] = set()
        rest: set[ItemT] = set()
        for item in self._train():
            (test if self._part(item, fold.of) == fold.number else rest).add(item)
        taken = Reserved(test, self._apart)
        wanted = sizes.get("val", 0)
        lowest = lowest_ranked(
            (item for item in rest if item not in taken), wanted, lambda item: rank(self._seed, item)
        )
        if wanted and wanted >= len(rest):
            raise DataError(
                f"{self._corpus}: {wanted} {self._item}s to hold out for val, but without fold {fold.number} of "
                f"{fold.of} there are only {len(rest)} different ones, and some are to be trained on; lower val_size"
            )
        return {"test": test, "val": set(lowest)}

    def _part(self, item: ItemT, folds: int) -> int:
        """The fold that an item is in: as published where there are so many, and else as drawn."""
        published: int | None = getattr(item, "part", None) if folds == self._published else None
        return rank(self._seed, item) % folds if published is None else published

    def _share_out(self, pairs: list[ItemT], sizes: dict[str, int]) -> dict[str, set[ItemT]]:
        """The first go to test; the next to val, less what shares something with test."""
        chosen: dict[str, set[ItemT]] = {}
        taken = Reserved((), self._apart)
        start = 0
        for split, size in sizes.items():
            chosen[split] = {pair for pair in pairs[start : start + size] if pair not in taken}
            for pair in chosen[split]:
                taken.add(pair)
            start += size
        return chosen


class Split(ABC, Generic[ItemT]):
    """The part of a corpus that is the same for all that read their splits through ``Splits``."""

    name: str
    report: Report
    _splits: Splits[ItemT]

    @property
    def splits(self) -> tuple[str, ...]:
        return self._splits.names

    def read(self, split: str) -> Iterator[ItemT]:
        require_split(self, split)
        return self._splits.read(split, self.report)

    @abstractmethod
    def fingerprint(self) -> str: ...


class SplitCorpus(Split[Pair]):
    """A corpus of sentence pairs that reads its splits through ``Splits``."""

    source_language: str
    target_language: str


def require_two_languages(corpus: str, source: str, target: str) -> None:
    """Raise ConfigError where both sides are one language."""
    if source == target:
        raise ConfigError(f"{corpus}: source_language and target_language are both {source!r}")


def lowest_ranked(pairs: Iterable[ItemT], number: int, key: Callable[[ItemT], int]) -> list[ItemT]:
    """The ``number`` different items of lowest key, lowest first; memory of ``number`` of them."""
    heap: list[tuple[int, Any]] = []  # by falling key: the highest one kept is on top
    kept: set[ItemT] = set()
    for pair in pairs if number else ():
        if pair in kept:
            continue
        entry = (-key(pair), pair)
        if len(heap) < number:
            heapq.heappush(heap, entry)
        elif entry > heap[0]:
            kept.discard(heapq.heapreplace(heap, entry)[1])
        else:
            continue
        kept.add(pair)
    return [pair for _, pair in sorted(heap, reverse=True)]
