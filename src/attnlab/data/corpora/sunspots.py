"""Sunspots, yearly means of 1700 to 2008 (as statsmodels ships them; National Geophysical Data Center).

The cycle is about eleven years long and never quite: there is no season to repeat.
"""

from attnlab.data.series.corpus import Columns, Plan
from attnlab.data.series.statsmodels_series import StatsmodelsSeries
from attnlab.data.splitting import Size
from attnlab.ranges import OneOrMore


class Sunspots(StatsmodelsSeries):
    """One column, 309 years.

    Args:
        horizon: years of a forecast.
        stride: years between two origins of val and test.
        season: of the seasonal naive forecast and of MASE; 11 is nearest to the cycle.
        val_size: years (int) or share (float below 1) before the test, to choose settings by.
        test_size: likewise, at the end.
    """

    def __init__(
        self,
        horizon: OneOrMore = 5,
        stride: OneOrMore = 1,
        season: OneOrMore = 11,
        val_size: Size = 44,
        test_size: Size = 66,
    ) -> None:
        super().__init__("sunspots", Columns(("SUNACTIVITY",)), Plan(horizon, stride, season), val_size, test_size)
