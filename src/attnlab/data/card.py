"""A data card: what a run is trained and tested on, as far as it can be counted.

Sizes, what was left out and why, lengths, words that the vocabulary does not have, and what the splits share: a test
sentence that training has seen tells of memory, not of a model.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Side(NamedTuple):
    """One side of the items of a split: source or target, or the text."""

    tokens: int
    unknown: int  #: of these, those that the vocabulary does not have
    median: float  #: tokens of an item
    longest: int

    @property
    def unknown_rate(self) -> float:
        """Share of unknown tokens; 0 of none."""
        return self.unknown / self.tokens if self.tokens else 0.0


NOTHING = Side(0, 0, 0.0, 0)  #: a side without items


class SplitCard(NamedTuple):
    """What is known of a split."""

    items: int
    sides: Mapping[str, Side]
    in_train: Mapping[str, int]  #: items whose side, or whose all (``both``), stands in train word for word


class DataCard(NamedTuple):
    """What a run is trained and tested on."""

    corpus: str
    items: str  #: the word for them: pairs, texts
    vocabulary: Mapping[str, int]  #: entries, by side
    splits: Mapping[str, SplitCard]
    left_out: tuple[str, ...]  #: a line for each reason
    classes: Mapping[str, int] | None = None  #: training items of each, where there are classes

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        splits = {
            name: {
                "items": split.items,
                "sides": {
                    side: {**told._asdict(), "unknown_rate": round(told.unknown_rate, 6)}
                    for side, told in split.sides.items()
                },
                "in_train": dict(split.in_train),
            }
            for name, split in self.splits.items()
        }
        plain = {"corpus": self.corpus, "items": self.items, "vocabulary": dict(self.vocabulary), "splits": splits}
        return {**plain, "left_out": list(self.left_out), **({} if self.classes is None else {"classes": self.classes})}

    def numbers(self) -> dict[str, float]:
        """Flat, for a table of runs: ``data/test/items``, ``data/test/source_unknown``, ``data/test/in_train``."""
        found: dict[str, float] = {f"data/{side}_vocabulary": size for side, size in self.vocabulary.items()}
        for name, split in self.splits.items():
            found[f"data/{name}/items"] = split.items
            for side, told in split.sides.items():
                found[f"data/{name}/{side}_unknown"] = round(told.unknown_rate, 6)
                found[f"data/{name}/{side}_median"] = told.median
            for side, count in split.in_train.items():
                found[f"data/{name}/{side}_in_train"] = count
        return found

    def table(self) -> tuple[list[str], list[list[str | int | float]]]:
        """For people: the names of the columns, and a row a split."""
        sides = list(dict.fromkeys(side for split in self.splits.values() for side in split.sides))
        told = ("tokens", "median", "longest", "unknown_rate")
        seen = list(dict.fromkeys(side for split in self.splits.values() for side in split.in_train))
        columns = ["split", self.items, *(f"{side}: {name.replace('_', ' ')}" for side in sides for name in told)]
        rows: list[list[str | int | float]] = [
            [
                name,
                split.items,
                *(getattr(split.sides.get(side, NOTHING), key) for side in sides for key in told),
                *(split.in_train.get(side, 0) for side in seen),
            ]
            for name, split in self.splits.items()
        ]
        return [*columns, *(f"{side}: in train" for side in seen)], rows

    @property
    def warnings(self) -> list[str]:
        """What a reader of results has to know: test items that training has seen whole."""
        said = []
        for name, split in self.splits.items():
            count = split.in_train.get("both", next(iter(split.in_train.values()), 0))
            if count and name.startswith("test"):
                said.append(f"{name}: {count:,} of {split.items:,} {self.items} stand in train word for word")
        return said


def side_of(lengths: NDArray[np.int64], unknown: int) -> Side:
    """A side of a split, from the tokens of each item."""
    if not len(lengths):
        return NOTHING
    return Side(int(lengths.sum()), unknown, float(np.median(lengths)), int(lengths.max()))


def shared(
    train: Callable[[], Iterable[Sequence[bytes]]],
    others: Mapping[str, Callable[[], Iterable[Sequence[bytes]]]],
    sides: Sequence[str],
) -> dict[str, dict[str, int]]:
    """How many items of each split stand in train, word for word; memory of the smaller splits alone.

    Args:
        train: the sides of its items, once through.
        others: those of val and the test splits.
        sides: their names. With two of them, ``both`` counts whole items.

    Returns:
        By split and side.
    """
    wanted = [set[bytes]() for _ in sides]
    whole = set[tuple[bytes, ...]]()
    for read in others.values():
        for item in read():
            for texts, text in zip(wanted, item, strict=True):
                texts.add(text)
            whole.add(tuple(item))
    seen = [set[bytes]() for _ in sides]
    seen_whole = set[tuple[bytes, ...]]()
    for item in train():
        hits = 0
        for texts, found, text in zip(wanted, seen, item, strict=True):
            if text in texts:
                found.add(text)
                hits += 1
        if hits == len(sides) and tuple(item) in whole:
            seen_whole.add(tuple(item))
    counts: dict[str, dict[str, int]] = {}
    for split, read in others.items():
        counts[split] = dict.fromkeys([*sides, *(["both"] if len(sides) > 1 else [])], 0)
        for item in read():
            for side, found, text in zip(sides, seen, item, strict=True):
                counts[split][side] += text in found
            if len(sides) > 1:
                counts[split]["both"] += tuple(item) in seen_whole
    return counts
