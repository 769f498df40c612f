"""Carbon dioxide at Mauna Loa, monthly means of 1958 to 2001, in parts per million (Keeling et al. 2004).

The weekly measurements that statsmodels ships, of which 59 are missing; means of the months that have some, the month
before for the others.
"""

from typing import Any

from attnlab.data.series.corpus import Columns, Plan
from attnlab.data.series.statsmodels_series import StatsmodelsSeries
from attnlab.data.splitting import Size
from attnlab.ranges import OneOrMore


class Co2(StatsmodelsSeries):
    """One column, 526 months.

    Args:
        horizon: months of a forecast.
        stride: months between two origins of val and test.
        season: of the seasonal naive forecast and of MASE.
        val_size: months (int) or share (float below 1) before the test, to choose settings by.
        test_size: likewise, at the end.
    """

    def __init__(
        self,
        horizon: OneOrMore = 12,
        stride: OneOrMore = 1,
        season: OneOrMore = 12,
        val_size: Size = 60,
        test_size: Size = 120,
    ) -> None:
        plan = Plan(horizon, stride, season, (12,))
        super().__init__("co2", Columns(("co2",)), plan, val_size, test_size, "previous", monthly)


def monthly(frame: Any) -> Any:
    return frame.resample("MS").mean()
