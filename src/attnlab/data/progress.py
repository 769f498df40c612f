"""A progress bar on a terminal, and silence elsewhere."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from attnlab.console import console

T = TypeVar("T")


class Bar:
    """Takes steps; ``show`` is told of them, now and then."""

    def __init__(self, show: Callable[[int], object] | None = None) -> None:
        self._show = show
        self._pending = 0

    def advance(self, steps: int) -> None:
        """Count steps done."""
        self._pending += steps
        if self._show is not None and self._pending >= 256:
            self.flush()

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items, of which many are done in a moment: shown now and then."""
        for item in items:
            yield item
            self.advance(1)

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, each of which takes a while: shown when it is done."""
        for item in items:
            yield item
            self.advance(1)
            self.flush()

    def flush(self) -> None:
        """Show what has not been shown yet."""
        if self._show is not None:
            self._show(self._pending)
        self._pending = 0


@contextmanager
def bar(description: str, total: int | None = None) -> Iterator[Bar]:
    """A bar on standard error while the block runs; it is gone afterwards. ``total=None`` shows a count."""
    if not sys.stderr.isatty():
        yield Bar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        steps = Bar(lambda count: progress.advance(task, count))
        yield steps
        steps.flush()
