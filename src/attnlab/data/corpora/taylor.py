"""Half-hourly electricity demand of England and Wales, Monday 5 June to Sunday 27 August 2000, in megawatts.

Taylor 2003, "Short-term electricity demand forecasting using double seasonal exponential smoothing", Journal of the
Operational Research Society 54: a season of a day, 48 points, in one of a week, 336. The test is the last two weeks, 14
origins at midnight; val is the two weeks before it.
"""

from pathlib import Path

from attnlab.data.reading import find
from attnlab.data.series.corpus import Columns, Plan, SeriesCorpus
from attnlab.data.series.table import Table, read_table
from attnlab.data.splitting import Size
from attnlab.ranges import OneOrMore, PathText
from attnlab.types import DataError

SOURCE = "R's package forecast, or Python's pmdarima (load_taylor), as a CSV with the one column demand"
DAY, WEEK = 48, 336


class Taylor(SeriesCorpus):
    """One column, 4,032 half-hours.

    Args:
        root: data folder; the file is ``series/taylor.csv[.gz]`` in it.
        horizon: half-hours of a forecast.
        stride: half-hours between two origins of val and test.
        season: of the seasonal naive forecast and of MASE.
        val_size: half-hours (int) or share (float below 1) before the test, to choose settings by.
        test_size: likewise, at the end.
    """

    def __init__(
        self,
        root: PathText,
        horizon: OneOrMore = DAY,
        stride: OneOrMore = DAY,
        season: OneOrMore = WEEK,
        val_size: Size = 2 * WEEK,
        test_size: Size = 2 * WEEK,
    ) -> None:
        self.folder = Path(root).expanduser() / "series"
        plan = Plan(horizon, stride, season, (DAY, WEEK))
        super().__init__("taylor", self.load, Columns(("demand",)), plan, val_size, test_size, self.files)

    def files(self) -> list[Path]:
        path = find(self.folder, "taylor.csv")
        if path is None:
            raise DataError(
                f"missing file {self.folder / 'taylor.csv'}[.gz]; get it from {SOURCE}, or set paths.data (variable "
                "ATTNLAB_DATA) to the folder that has series/taylor.csv"
            )
        return [path]

    def load(self) -> Table:
        return read_table(self.files()[0], wanted=("demand",))
