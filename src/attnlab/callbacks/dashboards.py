"""What a logger may show besides numbers: callbacks ask for these methods and know no logger by its name."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

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


class LostError(AttributeError):
    """The service cannot be reached, which has been told; to Lightning a logger without an experiment."""


class Nothing:
    """What stands for the run of a service that was lost before it began: all can be asked of it, nothing happens."""

    def __getattr__(self, _: str) -> "Nothing":
        return self

    def __call__(self, *_: Any, **__: Any) -> "Nothing":
        return self

    def __getitem__(self, _: Any) -> "Nothing":
        return self

    def __setitem__(self, *_: Any) -> None: ...

    def __bool__(self) -> bool:
        return False


class Service(NamedTuple):
    """A training outlives its dashboard: a process may be killed, a server gone, a disk full. That is told once.

    The loggers of a service have ``lost``, whether it is.
    """

    name: str
    package: str  #: whose errors, beside those of the system, tell of a loss

    @contextmanager
    def starting(self, logger: Any) -> Iterator[None]:
        """Around what begins the logger's run.

        Raises:
            LostError: it cannot be begun.
        """
        try:
            yield
        except Exception as error:
            self._lose(logger, error)
            raise LostError(first_line(error)) from error

    def survives(self, log: Logging) -> Logging:
        """A logger's method, to be left alone once the service is lost."""

        @wraps(log)
        def logged(logger: Any, *positional: Any, **named: Any) -> None:
            if logger.lost:
                return
            try:
                log(logger, *positional, **named)
            except LostError:
                return
            except Exception as error:
                self._lose(logger, error)

        return logged

    def _lose(self, logger: Any, error: Exception) -> None:
        if not (isinstance(error, OSError) or type(error).__module__.partition(".")[0] == self.package):
            raise error
        logger.lost = True
        lost = f"{self.name}: lost ({first_line(error)})"
        print(f"{lost}; the run goes on without it and keeps all the rest", file=sys.stderr)


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
