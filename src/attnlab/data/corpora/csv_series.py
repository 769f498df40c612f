r"""One's own series: columns of a CSV, a row a point, in time order; plain or gzip, UTF-8.

    python train.py dataset=csv_series dataset.file=sales.csv dataset.targets=[units] dataset.horizon=7 dataset.season=7
    python train.py dataset=csv_series dataset.file=grid.csv dataset.targets=[load,wind] dataset.exogenous=[price] \
        dataset.known=[holiday] dataset.horizon=24 dataset.season=24 dataset.periods=[24,168] data.harmonics=4

The first line has the names of the columns. Columns that are not named may hold anything: a time, remarks.
"""

from pathlib import Path

from attnlab.data.reading import named_file
from attnlab.data.series.corpus import Columns, Plan, SeriesCorpus
from attnlab.data.series.table import Missing, Table, read_table
from attnlab.data.splitting import Size
from attnlab.ranges import OneOrMore, PathText


class CsvSeries(SeriesCorpus):
    """Some columns of a file.

    Args:
        root: folder that the file is looked up in where it is not found from the current folder; ``.gz`` at the end of
            its name may be left out.
        file: the CSV; split by comma, semicolon or tab, as its first line is.
        targets: columns to be forecast.
        exogenous: columns whose past is read besides.
        known: columns that are known of the future, too: a calendar, a price that is set.
        horizon: points of a forecast.
        stride: points between two origins of val and test; null: the horizon, so that no two forecasts overlap.
        season: of the seasonal naive forecast and of MASE, in points; 1 where there is none.
        periods: of calendar features (``data.harmonics``), in points.
        val_size: points (int) or share (float below 1) before the test, to choose settings by.
        test_size: likewise, at the end.
        missing: a number that is not there is an ``error``, or ``previous``: the one before it.
    """

    def __init__(
        self,
        root: PathText,
        file: PathText,
        targets: list[str] | None = None,
        exogenous: list[str] | None = None,
        known: list[str] | None = None,
        horizon: OneOrMore = 1,
        stride: OneOrMore | None = None,
        season: OneOrMore = 1,
        periods: list[OneOrMore] | None = None,
        val_size: Size = 0.1,
        test_size: Size = 0.2,
        missing: Missing = "error",
    ) -> None:
        self._root, self._file, self.missing = Path(root).expanduser(), file, missing
        columns = Columns(*(tuple(names or ()) for names in (targets, exogenous, known)))
        plan = Plan(horizon, stride or horizon, season, tuple(periods or ()))
        super().__init__("csv_series", self.load, columns, plan, val_size, test_size, self.files, {"missing": missing})

    def files(self) -> list[Path]:
        return [named_file(self._file, self._root)]

    def load(self) -> Table:
        return read_table(self.files()[0], self.missing, self.columns.all)
