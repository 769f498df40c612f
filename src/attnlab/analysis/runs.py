"""Finished runs, read from the files that they left: no model code, no torch, no omegaconf.

A run folder is what ``train.py`` leaves. Everything here is frozen; the large parts (items, alignments,
learning curve) are read when they are first asked for.
"""

import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from attnlab.analysis.maps import AttentionMap as AttentionMap
from attnlab.analysis.maps import map_of
from attnlab.analysis.reading import (
    BROKEN,
    RECORDED,
    checked,
    is_count,
    is_number,
    read_choices,
    read_json,
    read_lines,
    read_mapping,
    read_metrics,
    read_overrides,
    require_item,
    require_maps,
)
from attnlab.bounded import read_yaml
from attnlab.errors import DataError
from attnlab.metrics.quantity import Counted, Quantity
from attnlab.runs import legacy
from attnlab.runs.legacy import with_new_names
from attnlab.runs.naming import mechanism
from attnlab.runs.schema import ROLES, Contents, contents

T = TypeVar("T")
LABELS = ("attention", "pooling", "model", "encoder", "decoder", "dataset", "tokenizer", "search")


class Item(NamedTuple):
    """A line of ``<split>.jsonl``; a text that its task does not have is empty."""

    input: str
    reference: str
    output: str
    record: Mapping[str, Any]  #: all of the line


class Point(NamedTuple):
    """A line of ``history.jsonl``."""

    step: int  #: optimizer updates so far
    epoch: int  #: from 0
    seconds: float | None  #: of training so far, validation not counted
    values: dict[str, float]  #: ``train/loss``, ``learning_rate``, ``val/bleu``, …: those known at this point


class WordCounts(NamedTuple):
    """How often the words of the tested sentences occur in the targets that a run was trained on."""

    counts: dict[str, int]  #: of the words of references and hypotheses; one that is not listed never occurs
    tokenizer: str  #: sacreBLEU's name of what cut the text into words
    lowercase: bool
    sentences: int  #: training sentences that were counted


@dataclass(frozen=True, eq=False)  # a run is itself, and can be a key
class Run:
    """A finished run.

    Attributes:
        folder: where it lies; its last part names it.
        metrics: ``metrics.json``, a flat table.
        config: ``.hydra/config.yaml`` as composed: interpolations such as ``${seed}`` are left as they stand.
        overrides: what was given on the command line, ``("attention=luong_dot", "seed=2")``.
        choices: the option chosen in each config group, ``{"attention": "luong_dot", …}``, without Hydra's own.
        damaged: a line for each part that could not be read and counts as not there (history, word counts, maps).
        scored: where its scores and items lie, if not in its folder: an explanation of it.
    """

    folder: Path
    metrics: Mapping[str, Any]
    config: Mapping[str, Any]
    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    _items: dict[str, tuple[Item, ...]] = field(default_factory=dict, repr=False, compare=False)
    damaged: MutableMapping[Path, str] = field(default_factory=dict, repr=False, compare=False)
    scored: Path | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def parts(self) -> tuple["Run", ...]:
        """The trainings that it is of: itself, or the folds of a cross-validation."""
        return (self,)

    @property
    def seed(self) -> int | None:
        """The seed of initialisation, order and dropout."""
        seed = self.config.get("seed", self.metrics.get("seed"))
        return seed if isinstance(seed, int) and not isinstance(seed, bool) else None

    @property
    def labels(self) -> dict[str, str]:
        """The option of each of ``LABELS`` that the run has."""
        found = {name: self.choices.get(name, self.metrics.get(name)) for name in LABELS}
        return {name: str(option) for name, option in found.items() if option is not None}

    @property
    def mechanism(self) -> str:
        """What it is called by: its attention, or what stands in its place; empty where it does not say."""
        return mechanism(self.labels) if self.labels.get("attention") else self.labels.get("model", "")

    @cached_property
    def contents(self) -> Contents:
        """What ``metrics.json`` says of itself.

        Raises:
            DataError: something that cannot be.
        """
        return contents(self.metrics)

    @cached_property
    def quantities(self) -> Mapping[str, Quantity]:
        """What is to be known of its numbers, by name, as it has counted them.

        Raises:
            DataError: it is not said, in a way that can be, how.
        """
        return {name: quantity.of_run(self.metrics) for name, quantity in self.contents.quantities.items()}

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The tested splits: those with scores and a file of items."""
        return tuple(split for split in self.contents.splits if self._lines(split).exists())

    def _lines(self, split: str) -> Path:
        return (self.scored or self.folder) / f"{split}.jsonl"

    def metric(self, name: str) -> float | None:
        """A number of ``metrics.json``; None where there is none (or it was not finite)."""
        value = self.metrics.get(name)
        return float(value) if isinstance(value, int | float) and is_number(value) else None

    def items(self, split: str) -> tuple[Item, ...]:
        """The lines of a split, in its order.

        Raises:
            DataError: the run has no such split, or a line cannot be read.
        """
        if split not in self._items:
            path = self._lines(split)
            if not path.exists():
                raise DataError(f"{path}: there is no such file; the run was tested on {', '.join(self.splits)}")
            found = []
            keys = [self.contents.record.get(role) for role in ROLES]
            more = RECORDED if self.contents.task == legacy.TASK else {}
            for number, line in enumerate(read_lines(path), 1):
                require_item(path, number, line, [key for key in keys if key is not None], more)
                given, wanted, came = ("" if key is None else str(line[key]) for key in keys)
                found.append(Item(given, wanted, came, line))
            if not found:
                raise DataError(f"{path}: empty, expected an item a line")
            self._items[split] = tuple(found)
        return self._items[split]

    def rows(self, quantity: Counted, split: str, recount: bool = False) -> Float[np.ndarray, "N C"] | None:
        """What each item of a split contributes to a quantity; None where the run did not record it.

        Args:
            quantity: as this run has counted it.
            split: of its tested ones.
            recount: count again where it was not noted.

        Raises:
            DataError: a line has what cannot be.
        """
        try:
            return quantity.rows([item.record for item in self.items(split)], recount)
        except DataError as error:
            raise DataError(f"{self._lines(split)}, {error}") from error

    def maps_file(self, split: str) -> Path | None:
        """The file behind ``maps``; None where the mechanism draws no alignment, or it is damaged."""
        path = self.folder / "attention" / ("maps.npz" if split == "test" else f"maps_{split}.npz")
        return path if path.exists() and path not in self.damaged else None

    def kept(self, split: str) -> frozenset[int] | None:
        """The numbers of the items of a split whose attention was kept; None where there is no ``maps_file``."""
        path = self.maps_file(split)
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return frozenset(arrays["sentences"].tolist())

    def maps(self, split: str, numbers: list[int] | None = None) -> list[AttentionMap]:
        """The alignments of a split's sentences; of these numbers only, where they were kept."""
        path = self.maps_file(split)
        if path is None:
            return []
        try:
            with np.load(path, allow_pickle=False) as arrays:
                kept = arrays["sentences"].tolist()
                return [map_of(arrays, number) for number in kept if numbers is None or number in numbers]
        except BROKEN as error:
            self.damaged[path] = f"{path}: cannot be read ({type(error).__name__}: {error})"
            return []

    @cached_property
    def history(self) -> tuple[Point, ...]:
        """The learning curve; empty for a run that left none, or a damaged one."""
        path = self.folder / "history.jsonl"
        return self._part(path, lambda: tuple(_point(path, line) for line in read_lines(path, cut=True))) or ()

    @cached_property
    def word_counts(self) -> WordCounts | None:
        """Training counts of the words of all tested splits; None for a run that left none, or damaged ones."""
        path = self.folder / "word_counts.json"
        return self._part(path, lambda: _word_counts(path))

    def _part(self, path: Path, read: Callable[[], T]) -> T | None:
        """What can be done without: None where it is not there, or not what it should be."""
        if not path.exists():
            return None
        try:
            return checked(path, read)
        except DataError as error:
            self.damaged[path] = str(error)
            return None

    def read_all(self) -> None:
        """Read every file, so that it is known what is damaged.

        Raises:
            DataError: a split has scores, but no items that can be read.
        """
        for split in self.contents.splits:
            items = len(self.items(split))
            path = self.maps_file(split)
            if path is not None:
                self._part(path, partial(require_maps, path, items))
        _ = self.history, self.word_counts


def read_run(folder: Path) -> Run:
    """Read the small files of a run folder.

    Raises:
        DataError: the folder is not a finished run, and why.
    """
    if not is_run(folder):
        raise DataError(f"{folder}: not a run folder, it has no .hydra/config.yaml")
    path, hydra = folder / "metrics.json", folder / ".hydra"
    if not path.exists():
        raise DataError(f"{folder}: not finished, it has no metrics.json")
    metrics = read_metrics(path)
    config = with_new_names(read_mapping(hydra / "config.yaml", read_yaml))
    overrides = read_overrides(hydra / "overrides.yaml")
    choices = read_choices(hydra / "hydra.yaml")
    run = Run(folder, metrics, config, overrides, choices)
    if not run.splits:
        raise DataError(f"{folder}: not finished, no split was tested")
    return run


def is_run(folder: Path) -> bool:
    """Whether a folder looks like a run's; what is damaged in it is told when it is read."""
    return os.path.lexists(folder / ".hydra" / "config.yaml")


def _point(path: Path, line: dict[str, Any]) -> Point:
    step, epoch, seconds = line.get("step"), line.get("epoch"), line.get("seconds")
    if not is_count(step) or not is_count(epoch) or not (seconds is None or is_number(seconds)):
        raise DataError(f"{path}: expected step, epoch and seconds, came {step!r}, {epoch!r} and {seconds!r}")
    values = {k: v for k, v in line.items() if k not in ("step", "epoch", "seconds")}
    wrong = [k for k, v in values.items() if v is not None and (isinstance(v, bool) or not isinstance(v, int | float))]
    if wrong:
        raise DataError(f"{path}: {wrong[0]} is {values[wrong[0]]!r}, expected a number")
    return Point(int(step), int(epoch), seconds, {k: float(v) for k, v in values.items() if is_number(v)})  # type: ignore[arg-type]


def _word_counts(path: Path) -> WordCounts:
    found = WordCounts(**read_mapping(path, read_json))
    if not isinstance(found.counts, dict) or not all(map(is_count, found.counts.values())):
        raise DataError(f"{path}: expected counts of words")
    return found
