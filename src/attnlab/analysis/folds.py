"""Cross-validation as one experiment: the folds of a configuration and seed are read as one run.

Every item is tested once, by the model that was trained without its fold; items stand in the order of the folds. Scores
are those of all items together, from what each contributes, not means over folds (Forman and Scholz 2010: means of F1
over folds are biased). What several trainings take together, a quantity says itself (``of_folds``).
"""

import json
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from attnlab.analysis.groups import settings_of, without_repetitions
from attnlab.analysis.runs import AttentionMap, Item, Point, Run, WordCounts
from attnlab.errors import DataError
from attnlab.metrics.quantity import Counted, Quantity
from attnlab.runs.schema import KEYS

KEY = "dataset.fold"
CLOSED: Mapping[str, Callable[[list[float]], float]] = {
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
    "max": max,
}


class United(NamedTuple):
    """Runs, the folds of a cross-validation put together."""

    runs: tuple[Run, ...]
    left_out: tuple[str, ...]  #: a line for each that is of no whole cross-validation, or was run again


@dataclass(frozen=True, eq=False)
class CrossValidated(Run):
    """The runs of all folds, read as one; its folder is that of the first.

    Attributes:
        folds: in their order.
    """

    folds: tuple[Run, ...] = ()

    @property
    def parts(self) -> tuple[Run, ...]:
        return self.folds

    @property
    def name(self) -> str:
        return f"{self.folder.name} and {len(self.folds) - 1} more folds"

    @cached_property
    def splits(self) -> tuple[str, ...]:
        return (tested(self.folds[0]),)

    def items(self, split: str) -> tuple[Item, ...]:
        if split not in self._items:
            self._items[split] = tuple(item for part in self.folds for item in part.items(split))
        return self._items[split]

    def kept(self, split: str) -> frozenset[int] | None:
        found = [(first, part.kept(split)) for first, part in self._with_firsts(split)]
        known = [(first, numbers) for first, numbers in found if numbers is not None]
        return frozenset(first + number for first, numbers in known for number in numbers) if known else None

    def maps(self, split: str, numbers: list[int] | None = None) -> list[AttentionMap]:
        found = []
        for first, part in self._with_firsts(split):
            wanted = None if numbers is None else [number - first for number in numbers]
            found += [item._replace(number=first + item.number) for item in part.maps(split, wanted)]
        return found

    def _with_firsts(self, split: str) -> Iterator[tuple[int, Run]]:
        """Each fold with the number of its first item."""
        first = 0
        for part in self.folds:
            yield first, part
            first += len(part.items(split))

    @cached_property
    def history(self) -> tuple[Point, ...]:
        """The means over folds of what they had after each validation that all of them reached."""
        curves = [
            [point for point in part.history if any("val/" in key for key in point.values)] for part in self.folds
        ]
        return tuple(_mean_point(points) for points in zip(*curves, strict=False))

    @cached_property
    def word_counts(self) -> WordCounts | None:
        """None: each fold has its own."""
        return None


def unite(runs: Sequence[Run]) -> United:
    """Put the folds of a cross-validation together; other runs stay as they are.

    Runs that all test the same fold are compared on it. Folds of different draws or numbers differ in their
    configuration, and so never come together.

    Raises:
        DataError: no run is left, since no seed has all folds.
    """
    places = [fold_of(run) for run in runs]
    if len({place for place in places if place is not None}) < 2:
        return United(tuple(runs), ())
    sets: dict[str, list[Run]] = {}
    for run, settings, place in zip(runs, settings_of(runs), places, strict=True):
        own = {key: value for key, value in settings.items() if key != KEY or place is None}
        alone = "" if place is not None else str(run.folder)
        sets.setdefault(json.dumps([run.seed, own, alone], sort_keys=True, default=str), []).append(run)
    kept: list[Run] = []
    left_out: list[str] = []
    for members in sets.values():
        if fold_of(members[0]) is None:
            kept += members
            continue
        newest, repeated = without_repetitions(members, fold_of)
        left_out += repeated
        whole = {int(place[0]): run for run in newest if (place := fold_of(run)) is not None}
        wanted = range(_number(newest[0], "folds") or 0)
        missing = [str(number) for number in wanted if number not in whole]
        if missing:
            left_out += [f"{run.folder}: its cross-validation lacks dataset.fold={','.join(missing)}" for run in newest]
        else:
            kept.append(joined([whole[number] for number in wanted]))
    if not kept:
        raise DataError("no cross-validation is whole:" + "".join(f"\n  {line}" for line in left_out))
    return United(tuple(kept), tuple(left_out))


def fold_of(run: Run) -> tuple[int, int] | None:
    """Which fold a run tests, of how many; None where it is no cross-validation."""
    number, of = _number(run, "fold"), _number(run, "folds")
    return (number, of) if number is not None and of is not None and number < of else None


def _number(run: Run, key: str) -> int | None:
    dataset = run.config.get("dataset")
    value = dataset.get(key) if isinstance(dataset, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def joined(folds: Sequence[Run]) -> CrossValidated:
    """The runs of all folds, in their order, as one."""
    first = folds[0]
    config = {**first.config, "dataset": {**first.config["dataset"], "fold": "all"}}
    overrides = tuple(text for text in first.overrides if text.partition("=")[0].lstrip("+") != KEY)
    damaged = ChainMap(*(part.damaged for part in folds))  # of each as it is then
    return CrossValidated(
        first.folder, metrics_of(folds), config, overrides, first.choices, {}, damaged, folds=tuple(folds)
    )


def tested(run: Run) -> str:
    """The split that a fold is tested on; of one that was explained, what stands for it."""
    return run.contents.splits[0]


def metrics_of(folds: Sequence[Run]) -> dict[str, Any]:
    """What ``metrics.json`` would say of all folds together; nothing where one of them says nothing."""
    first, split = folds[0], tested(folds[0])
    quantities = {item.key(one): item for item in first.quantities.values() for one in (split, "val", "train")}
    found: dict[str, Any] = {}
    for key, value in first.metrics.items():
        values = [part.metrics.get(key) for part in folds]
        found[key] = (
            value if key in KEYS or all(other == value for other in values) else _together(values, quantities.get(key))
        )
    for quantity in quantities.values():
        rows = [part.rows(quantity, split) for part in folds] if isinstance(quantity, Counted) else []
        if isinstance(quantity, Counted) and quantity.key(split) in found and all(part is not None for part in rows):
            found[quantity.key(split)] = quantity.score(np.concatenate([part for part in rows if part is not None]))
    return found


def _together(values: Sequence[Any], quantity: Quantity | None) -> Any:
    if any(value is None or isinstance(value, dict | list) for value in values):
        return None
    if any(isinstance(value, str | bool) for value in values):
        return " and ".join(dict.fromkeys(map(str, values)))
    return float(CLOSED["mean" if quantity is None else quantity.of_folds](list(map(float, values))))


def _mean_point(points: Sequence[Point]) -> Point:
    keys = [key for key in points[0].values if all(key in point.values for point in points)]
    seconds = [point.seconds for point in points if point.seconds is not None]
    return Point(
        round(float(np.mean([point.step for point in points]))),
        points[0].epoch,
        float(np.mean(seconds)) if len(seconds) == len(points) else None,
        {key: float(np.mean([point.values[key] for point in points])) for key in keys},
    )
