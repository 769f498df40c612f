"""What a logger may show besides numbers: callbacks ask for these methods and know no logger by its name."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pytorch_lightning as pl

from attnlab.tasks.records import Table

Logging = Callable[..., None]


@runtime_checkable
class Dashboard(Protocol):
    """A logger whose service shows pictures, tables and a summary of a run; one from outside is served alike."""

    def show_picture(self, name: str, path: Path, step: int) -> None:
        """Show a picture that lies in a file, as ``name``."""

    def show_table(self, name: str, table: Table, step: int) -> None:
        """Show a table; the last one of a name is what counts."""

    def summarize(self, metrics: Mapping[str, str | int | float | bool | None]) -> None:
        """Note what a table of runs is sorted by: the plain values of ``metrics.json``."""


@runtime_checkable
class Alarm(Protocol):
    """A logger whose service tells people at once."""

    def alert(self, title: str, text: str) -> None:
        """Tell them."""


@runtime_checkable
class Pages(Protocol):
    """A logger whose service shows pages that answer the pointer."""

    def show_page(self, name: str, page: str, step: int) -> None:
        """Show a page, HTML that needs no network, as ``name``."""


def alert(trainer: pl.Trainer, title: str, text: str) -> None:
    """Tell whoever has asked to be told, by whatever loggers can."""
    for logger in trainer.loggers:
        if isinstance(logger, Alarm):
            logger.alert(title, text)


def dashboards(trainer: pl.Trainer) -> Iterator[Dashboard]:
    """Those of the loggers that are some."""
    return (logger for logger in trainer.loggers if isinstance(logger, Dashboard))


def show(trainer: pl.Trainer, folder: str, paths: Iterable[Path]) -> None:
    """Show pictures as ``<folder>/<name of the file>``: one panel each, W&B lays out a list alike."""
    show_named(trainer, {f"{folder}/{path.stem}": path for path in paths})


def show_named(trainer: pl.Trainer, pictures: Mapping[str, Path]) -> None:
    """Show pictures by what they are to be called."""
    for dashboard in dashboards(trainer):
        for name, path in pictures.items():
            dashboard.show_picture(name, path, trainer.global_step)


def surviving(service: str, package: str) -> Callable[[Logging], Logging]:
    """A training outlives its dashboard: a process may be killed, a server gone, a disk full. That is told once.

    Args:
        service: what it is called.
        package: whose errors, beside those of the system, tell of it.
    """

    def outlived(log: Logging) -> Logging:
        @wraps(log)
        def logged(self: Any, *positional: Any, **named: Any) -> None:
            if self.lost:
                return
            try:
                log(self, *positional, **named)
            except Exception as error:
                if not (isinstance(error, OSError) or type(error).__module__.partition(".")[0] == package):
                    raise
                self.lost = True
                tell_of_loss(service, error)

        return logged

    return outlived


def tell_of_loss(service: str, error: Exception) -> None:
    print(f"{service}: lost ({first_line(error)}); the run goes on without it and keeps all the rest", file=sys.stderr)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
