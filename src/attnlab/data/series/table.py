"""A table of numbers in time order: columns of a CSV, a row a point."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.data.files import lines
from attnlab.types import DataError

Missing = Literal["error", "previous"]  #: what becomes of a number that is not there
ABSENT = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "."))  #: how files say so, in any case
DELIMITERS = (",", ";", "\t")


class Table(NamedTuple):
    """Points in time order."""

    names: tuple[str, ...]  #: of the columns
    values: Float[np.ndarray, "T C"]

    def select(self, names: Sequence[str], where: str) -> "Table":
        """Some of the columns, in this order.

        Raises:
            DataError: there is none of this name.
        """
        if lacking := [name for name in names if name not in self.names]:
            raise DataError(f"{where}: there is no column {lacking[0]!r}; there is {', '.join(self.names)}")
        return Table(tuple(names), self.values[:, [self.names.index(name) for name in names]])


def read_table(path: Path, missing: Missing = "error", wanted: Sequence[str] | None = None) -> Table:
    """Columns of a CSV, plain or gzip, that has their names in its first line; split by comma, semicolon or tab.

    Args:
        path: of the file.
        missing: a number that is not there is an error, or ``previous``: the one before it. What comes later is not
            looked at, so that no past knows of its future.
        wanted: the columns; others may hold anything. None for all of a file of nothing but numbers.

    Raises:
        DataError: a column is missing, a cell is no number, a row is too short, with the line.
    """
    texts = (line.decode("utf-8-sig", "replace") for line in lines(path))
    return parse_table(texts, str(path), missing, wanted)


def parse_table(texts: Iterable[str], where: str, missing: Missing, wanted: Sequence[str] | None) -> Table:
    """The same of lines that stand ready."""
    found = raw_table(texts, where, wanted)
    return found._replace(values=filled(found.values, found.names, missing, where))


def raw_table(texts: Iterable[str], where: str, wanted: Sequence[str] | None) -> Table:
    """The same with NaN where a number is not there."""
    source = iter(texts)
    first = next(source, "")
    delimiter = next((mark for mark in DELIMITERS if mark in first), ",")
    (header,) = csv.reader([first], delimiter=delimiter)
    names = tuple(name.strip() for name in header)
    require_names(names, where)
    chosen = list(names if wanted is None else wanted)
    if lacking := [name for name in chosen if name not in names]:
        raise DataError(f"{where}: there is no column {lacking[0]!r}; the first line has {', '.join(names)}")
    places = [names.index(name) for name in chosen]
    rows = csv.reader(source, delimiter=delimiter)
    values = np.array(list(_numbers(rows, places, len(names), names, where)), dtype=np.float64)
    if not len(values):
        raise DataError(f"{where}: there is no row of numbers below the first line")
    return Table(tuple(chosen), values)


def require_names(names: Sequence[str], where: str) -> None:
    """Refuse a first line that names nothing, or two columns alike.

    Raises:
        DataError: which.
    """
    if any(_number(name) is not None for name in names if name):
        raise DataError(f"{where}: the first line is {', '.join(names)!r:.60}; expected the names of the columns")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"{where}: two columns are called {twice[0]!r}; give each a name of its own")


def _numbers(
    rows: Iterable[list[str]], places: Sequence[int], width: int, names: Sequence[str], where: str
) -> Iterator[list[float]]:
    """The cells of some columns, row by row; NaN for one that is not there.

    Empty lines are passed over; but in a table of one column one between others is a point without its number.
    """
    gaps = 0
    for number, row in enumerate(rows, 2):
        if not row:
            gaps += width == 1
            continue
        yield from ([float("nan")] * len(places) for _ in range(gaps))
        gaps = 0
        if len(row) != width:
            raise DataError(f"{where}:{number}: {len(row)} cells, and the first line has {width}")
        found = [_number(row[place]) for place in places]
        for place, value in zip(places, found, strict=True):
            if value is None:
                raise DataError(
                    f"{where}:{number}: column {names[place]!r} has {row[place]!r:.40}, expected a number; name the "
                    "columns to be read in dataset.targets, dataset.exogenous and dataset.known"
                )
        yield [value for value in found if value is not None]


def _number(text: str) -> float | None:
    """NaN where a number is said to be missing, None where there is something else."""
    plain = text.strip()
    if plain.lower() in ABSENT:
        return float("nan")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if isfinite(value) else None


def filled(
    values: Float[np.ndarray, "T C"], names: Sequence[str], missing: Missing, where: str
) -> Float[np.ndarray, "T C"]:
    """Without gaps.

    Raises:
        DataError: there is one that nothing is said about, or none before it.
    """
    absent = np.isnan(values)
    if not absent.any():
        return values
    row, column = (int(place) for place in np.argwhere(absent)[0])
    told = f"{where}: {int(absent.sum())} numbers are missing, the first in row {row + 1} of column {names[column]!r}"
    if missing == "error":
        raise DataError(f"{told}; set dataset.missing=previous in training to go on with the one before each")
    if absent[0].any():
        raise DataError(f"{told}: there is none before it; leave the first rows out")
    last = np.maximum.accumulate(np.where(absent, 0, np.arange(len(values))[:, None]), axis=0)
    return np.take_along_axis(values, last, axis=0)
