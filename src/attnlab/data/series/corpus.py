"""What a corpus of series is: one table in time order, cut into train, val and test, and how it is to be forecast."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from attnlab.data.corpus import Report, require_split
from attnlab.data.reading import content_hash
from attnlab.data.series.table import Table
from attnlab.data.splitting import Size, count
from attnlab.types import ConfigError, DataError


class Columns(NamedTuple):
    """What the columns of a table are: those of a batch stand in this order."""

    targets: tuple[str, ...]  #: are forecast
    exogenous: tuple[str, ...] = ()  #: whose past is read
    known: tuple[str, ...] = ()  #: which are known of the future, too: a calendar, a price that is set

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.targets, *self.exogenous, *self.known)


class Plan(NamedTuple):
    """How a series is forecast.

    Attributes:
        horizon: points of a forecast.
        stride: points between the origins of val and test.
        season: of the seasonal naive forecast and of MASE, in points; 1 where there is none.
        periods: of calendar features, in points.
        lookback: points of a past, where the series says so; else two seasons or three horizons, whichever is more.
    """

    horizon: int
    stride: int
    season: int = 1
    periods: tuple[int, ...] = ()
    lookback: int | None = None

    @property
    def usual_lookback(self) -> int:
        return self.lookback or max(2 * self.season, 3 * self.horizon)


class Stretch(NamedTuple):
    """The part of a series in which a split's forecasts lie, with the past that they may see."""

    table: Table  #: from the first point of the series to the last of the split
    start: int  #: the first point that is forecast
    tested: int  #: the first point of the test: what lies before it is the scale of MASE
    origins: tuple[int, ...] | None = None  #: where forecasts begin, of a corpus that says so
    lags: Mapping[int, int] | None = None  #: by origin the one point back that matters, where that is known

    @property
    def end(self) -> int:
        return len(self.table.values)


@runtime_checkable
class Corpus(Protocol):
    """What a task of series reads."""

    name: str
    columns: Columns
    plan: Plan

    @property
    def splits(self) -> tuple[str, ...]: ...

    def read(self, split: str) -> Iterable[Stretch]: ...

    def fingerprint(self) -> str: ...


class SeriesCorpus:
    """One table, whose last points are the test, those before them val; nothing is drawn.

    Args:
        name: for messages and tables.
        load: reads the table.
        columns: what its columns are.
        plan: how it is forecast.
        val_size: points (int) or share of all (float below 1).
        test_size: likewise.
        files: that are read, for the fingerprint.
        settings: what else decides what ``load`` gives.

    Raises:
        ConfigError: a size is out of range, or a column is named twice.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Table],
        columns: Columns,
        plan: Plan,
        val_size: Size,
        test_size: Size,
        files: Callable[[], Sequence[Path]] = tuple,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.name, self.columns, self.plan, self.report = name, columns, plan, Report()
        self._load, self._sizes, self._files = load, (val_size, test_size), files
        self._settings = {"corpus": name, "columns": columns, "plan": plan, **(settings or {})}
        self._table: Table | None = None
        for size, option in zip(self._sizes, ("val_size", "test_size"), strict=True):
            count(size, 0, option)
        if not columns.targets:
            raise ConfigError(f"{name}: no column is to be forecast; name one or more in dataset.targets")
        if twice := [column for column in columns.all if columns.all.count(column) > 1]:
            raise ConfigError(f"{name}: column {twice[0]!r} is named twice; a target's past is read anyway")

    @property
    def splits(self) -> tuple[str, ...]:
        return ("train", "val", "test")

    @property
    def table(self) -> Table:
        """All points, in the order of ``columns``."""
        if self._table is None:
            self._table = self._load().select(self.columns.all, self.name)
        return self._table

    def read(self, split: str) -> Iterator[Stretch]:
        """The one stretch of a split.

        Raises:
            DataError: there is no such split, or nothing is left to train on.
        """
        require_split(self, split)
        points = len(self.table.values)
        val, test = (
            count(size, points, option) for size, option in zip(self._sizes, ("val_size", "test_size"), strict=True)
        )
        tested, validated = points - test, points - test - val
        if validated < 1 or val < 1 or test < 1:
            raise DataError(
                f"{self.name}: {points} points, of which val_size={val} and test_size={test} leave {validated} to "
                "train on; each has to have some"
            )
        start, end = {"train": (0, validated), "val": (validated, tested), "test": (tested, points)}[split]
        yield self.stretch(Table(self.table.names, self.table.values[:end]), start, tested)

    def stretch(self, table: Table, start: int, tested: int) -> Stretch:
        """A corpus that names its origins does so here."""
        return Stretch(table, start, tested)

    def fingerprint(self) -> str:
        return content_hash({**self._settings, "sizes": list(self._sizes)}, self._files())


def require_series(corpus: Any) -> None:
    """Refuse a corpus of something else than series.

    Raises:
        ConfigError: it is one.
    """
    if not isinstance(corpus, Corpus):
        name = getattr(corpus, "name", corpus)
        raise ConfigError(f"dataset: {name} has no series, which task=forecasting asks for")


def origins_of(stretch: Stretch, lookback: int, horizon: int, stride: int, name: str) -> "np.ndarray":
    """Where forecasts begin: rolling origins, ``stride`` points apart, each with its whole past and future.

    Args:
        stretch: of a split.
        lookback: points of a past.
        horizon: points of a forecast.
        stride: points between two origins.
        name: of corpus and split, for messages.

    Raises:
        DataError: the series is too short for one.
    """
    last = stretch.end - horizon
    if stretch.origins is not None:
        found = np.array([origin for origin in stretch.origins if lookback <= origin <= last], np.int64)
    else:
        found = np.arange(max(stretch.start, lookback), last + 1, stride)
    if not len(found):
        raise DataError(
            f"{name}: points {stretch.start} to {stretch.end} of the series have no room for a past of "
            f"data.lookback={lookback} and dataset.horizon={horizon} points after it; lower one of them, or let the "
            "split be larger"
        )
    return found
