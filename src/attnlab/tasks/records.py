"""What testing keeps of an item, whatever the task: a line of a file, and a picture."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch

from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Counted
from attnlab.runs.writing import Map

S = TypeVar("S")


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

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns)]
        lines += [[str(cell).replace("|", "\\|") for cell in row] for row in self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def counts_of(record: Record, quantities: Sequence[Counted], shown: Iterable[str]) -> dict[str, Any]:
    """What an item contributes to each quantity.

    Args:
        record: of the item.
        quantities: which.
        shown: the keys of its line that runs are recognised and read by.

    Raises:
        ConfigError: the line lacks what a quantity counts, or has something that cannot be shown.
    """
    line, whose = record.line(), f"{type(record).__name__}.line()"
    for key in shown:
        value = line.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            came = f"a {type(value).__name__}" if key in line else "nothing"
            raise ConfigError(f"{whose}: {key} is {came}, expected text or a number, for the task's keys name it")
    found = {}
    for quantity in quantities:
        try:
            found[quantity.id] = quantity.count(line)
        except KeyError as error:
            there = ", ".join(line)
            raise ConfigError(f"{whose} has no {error}, which {quantity.id} counts; it has {there}") from error
    return found


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


def from_all_processes(found: dict[int, S]) -> dict[int, S]:
    """What every process has of a split."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return found
    shares: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(shares, found)
    return {index: record for share in shares for index, record in share.items()}
