"""Which classes are taken for which, of all runs of a configuration together: ``confusion_<split>.csv`` of each."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from attnlab.analysis.groups import Configuration
from attnlab.analysis.reading import LARGEST, checked, shown
from attnlab.analysis.runs import Run
from attnlab.bounded import read_text
from attnlab.errors import DataError
from attnlab.viz.palette import LEVELS

MOST = 12  #: classes of a matrix; of more, the mistakes that are made most are listed
LISTED = 12


class Share(NamedTuple):
    """A cell of the matrix."""

    items: int
    share: float  #: of the items of its row's class
    level: int  #: shade, 0 to LEVELS


class Confusion(NamedTuple):
    """A configuration's, its runs summed."""

    configuration: str
    runs: int
    classes: tuple[str, ...]
    rows: tuple[tuple[Share, ...], ...]  #: of a class that items have; a column is one that they were given
    mistakes: tuple[tuple[str, str, Share], ...]  #: class, the one that was given; the most frequent first

    @property
    def small(self) -> bool:
        return len(self.classes) <= MOST


def confusions(configurations: Sequence[Configuration], split: str) -> list[Confusion]:
    """Of the configurations all of whose runs have left one, with the same classes."""
    found = []
    for configuration in configurations:
        parts = [part for run in configuration.runs for part in run.parts]
        tables = [table for part in parts if (table := table_of(part, split)) is not None]
        if len(tables) == len(parts) and len({classes for classes, _ in tables}) == 1:
            counts = np.sum([counts for _, counts in tables], axis=0)
            found.append(_confusion(configuration.name, len(configuration.runs), tables[0][0], counts))
    return found


def table_of(run: Run, split: str) -> tuple[tuple[str, ...], Int[np.ndarray, "C C"]] | None:
    """What a run has left; None where it has not, or it is damaged, which is noted with the run."""
    path = run.folder / f"confusion_{split}.csv"
    if not path.exists() or path in run.damaged:
        return None
    try:
        return checked(path, lambda: _read(path))
    except DataError as error:
        run.damaged[path] = str(error)
        return None


def _read(path: Path) -> tuple[tuple[str, ...], Int[np.ndarray, "C C"]]:
    (_, *classes), *rows = csv.reader(StringIO(read_text(path, LARGEST), newline=""))
    names, cells = [row[0] for row in rows], [row[1:] for row in rows]
    square = all(len(row) == len(classes) and all(cell.isdecimal() for cell in row) for row in cells)
    if names != classes or not square or not classes:
        raise DataError(f"{path}: expected counts of {shown(classes)} in rows and columns")
    return tuple(classes), np.array(cells, dtype=np.int64)


def _confusion(name: str, runs: int, classes: tuple[str, ...], counts: Int[np.ndarray, "C C"]) -> Confusion:
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    rows = tuple(
        tuple(Share(int(n), float(share), round(float(share) * LEVELS)) for n, share in zip(*row, strict=True))
        for row in zip(counts, shares, strict=True)
    )
    off = counts * (1 - np.eye(len(classes), dtype=np.int64))
    order = [divmod(int(place), len(classes)) for place in np.argsort(-off, axis=None, kind="stable")[:LISTED]]
    mistakes = tuple((classes[a], classes[b], rows[a][b]) for a, b in order if off[a, b])
    return Confusion(name, runs, classes, rows, mistakes)
