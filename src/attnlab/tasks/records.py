"""What testing keeps of an item, whatever the task: a line of a file, and a picture."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from attnlab.runs.writing import Map


@runtime_checkable
class Record(Protocol):
    """One item of a test split."""

    def line(self) -> dict[str, Any]:
        """Its line of ``<split>.jsonl``, with what the task's quantities count."""
        ...

    def map(self, number: int) -> Map | None:
        """Its attention; None where there is none to draw."""
        ...


class Table(NamedTuple):
    """What a person reads of some items: a row each."""

    columns: list[str]
    rows: list[list[Any]]


def maps_of(records: Iterable[Record], limit: int | None = None) -> list[Map]:
    """The attention of the first ``limit`` items, where there is any; NaN, after a training that diverged, is none."""
    maps = []
    for number, record in enumerate(records):
        if limit is not None and number >= limit:
            break
        found = record.map(number)
        if found is not None and drawable(found):
            maps.append(found)
    return maps


def drawable(item: Map) -> bool:
    return item.weights.size > 0 and bool(np.isfinite(item.weights).all())
