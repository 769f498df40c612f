"""The series that statsmodels ships; the library is an extra: ``pip install 'attnlab[series]'``."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from attnlab.data.series.corpus import Columns, Plan, SeriesCorpus
from attnlab.data.series.table import Missing, Table, filled
from attnlab.data.splitting import Size
from attnlab.types import ConfigError


class StatsmodelsSeries(SeriesCorpus):
    """Columns of a data set of ``statsmodels.datasets``.

    Args:
        name: of the data set.
        columns: of it.
        plan: how it is forecast.
        val_size: points (int) or share (float below 1) before the test.
        test_size: likewise, at the end.
        missing: what becomes of numbers that are not there.
        prepare: makes the table that is used of the frame of the data set; None takes it as it is.
    """

    def __init__(
        self,
        name: str,
        columns: Columns,
        plan: Plan,
        val_size: Size,
        test_size: Size,
        missing: Missing = "error",
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self.missing, self._prepare = missing, prepare
        super().__init__(name, self.load, columns, plan, val_size, test_size, settings={"missing": missing})

    def load(self) -> Table:
        frame = statsmodels(f"datasets.{self.name}", f"dataset={self.name}").load_pandas().data
        frame = frame if self._prepare is None else self._prepare(frame)
        names: Sequence[str] = self.columns.all
        values = frame[list(names)].to_numpy(dtype=np.float64)
        return Table(tuple(names), filled(values, names, self.missing, self.name))


def statsmodels(module: str, what: str) -> Any:
    """A module of the library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(f"statsmodels.{module}")
    except ModuleNotFoundError as error:
        raise ConfigError(f"{what} needs the library 'statsmodels': pip install 'attnlab[series]'") from error
