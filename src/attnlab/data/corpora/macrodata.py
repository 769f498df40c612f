"""The economy of the United States, quarter by quarter from 1959 to 2009 (as statsmodels ships it; FRED).

Of levels that grow the growth is told, in percent a quarter: 100 times the difference of logarithms of ``realgdp`` and
``realcons``; the rates ``unemp``, ``infl`` and ``tbilrate`` are taken as they are.
"""

from typing import Any

from attnlab.data.series.corpus import Columns, Plan
from attnlab.data.series.statsmodels_series import StatsmodelsSeries
from attnlab.data.splitting import Size
from attnlab.ranges import OneOrMore

LEVELS = ("realgdp", "realcons")


class Macrodata(StatsmodelsSeries):
    """Several columns, 202 quarters.

    Args:
        targets: columns to be forecast.
        exogenous: columns whose past is read besides.
        horizon: quarters of a forecast.
        stride: quarters between two origins of val and test.
        season: of the seasonal naive forecast and of MASE.
        val_size: quarters (int) or share (float below 1) before the test, to choose settings by.
        test_size: likewise, at the end.
    """

    def __init__(
        self,
        targets: list[str] | None = None,
        exogenous: list[str] | None = None,
        horizon: OneOrMore = 4,
        stride: OneOrMore = 1,
        season: OneOrMore = 1,
        val_size: Size = 28,
        test_size: Size = 40,
    ) -> None:
        columns = Columns(tuple(targets or ("realgdp",)), tuple(exogenous or ()))
        super().__init__("macrodata", columns, Plan(horizon, stride, season), val_size, test_size, prepare=growth)


def growth(frame: Any) -> Any:
    """From the second quarter on: the first one has no growth."""
    import numpy as np

    told = frame.copy()
    for name in LEVELS:
        told[name] = 100 * np.log(frame[name]).diff()
    return told.iloc[1:]
