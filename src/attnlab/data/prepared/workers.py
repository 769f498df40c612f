"""The lines of a large split, worked on by all cores: processes take ranges of rows, results come back in order.

A process opens the rows by their path and loads the tokenizer from its file, so that only numbers travel out. Memory
holds a few ranges a process, whatever the size of the split. Small splits are not worth the start of a process.
"""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from attnlab.data.prepared.ragged import Ragged, row_text
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.data.tokenizers.load import load
from attnlab.environment import cores

RANGE = 2048  #: rows that are worked on, and held in memory, together
WORTHWHILE = 100_000  #: rows, from which on the time that processes save is more than what they take to start
AHEAD = 3  #: ranges a process that are under way or wait to be taken

Result = TypeVar("Result")


class Lines(NamedTuple):
    """Rows ``start`` to ``stop`` of a text column."""

    path: Path
    start: int
    stop: int

    def read(self) -> Iterator[str]:
        column = _column(self.path)
        return (row_text(column[row]) for row in range(self.start, self.stop))


Work = Callable[[Tokenizer, Lines], Result]


def ranges(path: Path, rows: int) -> Iterator[Lines]:
    """A column in ranges."""
    return (Lines(path, start, min(start + RANGE, rows)) for start in range(0, rows, RANGE))


def work(function: Work[Result], tokenizer: Tokenizer, path: Path, processes: int | None = None) -> Iterator[Result]:
    """``function(tokenizer, lines)`` for every range of a column, in order.

    Args:
        function: one that is defined in a module, so that other processes find it.
        tokenizer: given to each call.
        path: of the column.
        processes: to use, a range each at least; None takes all cores where the column is long enough to gain from it.
    """
    rows = len(Ragged(path))
    if processes is None:
        processes = cores() if rows >= WORTHWHILE else 1
    processes = min(processes, -(-rows // RANGE))
    if processes <= 1:
        yield from (function(tokenizer, lines) for lines in ranges(path, rows))
        return
    with _pool(tokenizer, processes) as pool:
        todo = (pool.submit(_call, function, lines) for lines in ranges(path, rows))
        under_way: deque[Future[Any]] = deque(islice(todo, AHEAD * processes))
        while under_way:
            result: Result = under_way.popleft().result()
            under_way.extend(islice(todo, 1))
            yield result


@contextmanager
def _pool(tokenizer: Tokenizer, processes: int) -> Iterator[ProcessPoolExecutor]:
    # Processes are started anew and not forked: a fork copies locks that torch's or a tokenizer's threads may hold.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        tokenizer.save(file)
        pool = ProcessPoolExecutor(processes, get_context("spawn"), _start, (file,))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


_HERE: dict[str, Any] = {}  # of a worker process: its tokenizer, and the column that it reads


def _start(file: Path) -> None:
    _HERE["tokenizer"] = load(file)


def _call(function: Work[Result], lines: Lines) -> Result:
    return function(_HERE["tokenizer"], lines)


def _column(path: Path) -> Ragged:
    if _HERE.get("path") != path:
        _HERE["path"], _HERE["column"] = path, Ragged(path)
    column: Ragged = _HERE["column"]
    return column
