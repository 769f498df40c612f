r"""Exponential smoothing with additive errors: level, trend and season, as far as they are asked for.

$$y_t = \ell_{t-1} + \phi b_{t-1} + s_{t-m} + e_t, \quad \ell_t = \ell_{t-1} + \phi b_{t-1} + \alpha e_t, \quad
b_t = \phi b_{t-1} + \beta e_t, \quad s_t = s_{t-m} + \gamma e_t$$

Hyndman, Koehler, Ord and Snyder 2008, "Forecasting with exponential smoothing"; ``ETSModel`` of statsmodels, which
begins from a decomposition of the first seasons of each past, and therefore needs two of them.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from attnlab.data.series.statsmodels_series import statsmodels
from attnlab.models.classical import Classical
from attnlab.types import ConfigError

WHAT = "model=ets"
FEWEST = 10  #: points that the library begins from


class Ets(Classical):
    """One season at most: that of the data.

    Args:
        trend: whether there is a trend.
        damped: whether it fades; asks for a trend.
        seasonal: whether there is a season, where the data have one.
        lookback: points of a past.
        season: of the data, in points.
        dimensions: the rest of them.

    Raises:
        ConfigError: a past is shorter than two seasons, a trend is to fade that is not there, or statsmodels is not.
    """

    def __init__(
        self,
        lookback: int,
        season: int,
        trend: bool = False,
        damped: bool = False,
        seasonal: bool = True,
        **dimensions: Any,
    ) -> None:
        statsmodels("tsa.api", WHAT)
        self.season = season if seasonal and season > 1 else 0
        if damped and not trend:
            raise ConfigError("model.damped=true asks for model.trend=true: there is nothing that could fade")
        if lookback < max(2 * self.season, FEWEST):
            raise ConfigError(
                f"{WHAT}: a past has data.lookback={lookback} points, expected {max(2 * self.season, FEWEST)} or more, "
                "two seasons"
            )
        self.trend, self.damped = trend, damped
        parameters = 1 + trend + damped + bool(self.season)
        super().__init__(parameters, lookback=lookback, season=season, **dimensions)

    def model(self, series: Float[np.ndarray, " T"]) -> Any:
        ets = statsmodels("tsa.exponential_smoothing.ets", WHAT)
        season = {"seasonal": "add", "seasonal_periods": self.season} if self.season else {}
        trend = {"trend": "add", "damped_trend": self.damped} if self.trend else {}
        return ets.ETSModel(series, error="add", initialization_method="heuristic", **season, **trend)

    def estimate(self, series: Float[np.ndarray, " T"], features: Float[np.ndarray, "T F"]) -> Float[np.ndarray, " P"]:
        return np.asarray(self.model(series).fit(disp=False).params, dtype=np.float64)

    def ahead(
        self,
        estimates: Float[np.ndarray, " P"],
        past: Float[np.ndarray, " L"],
        before: Float[np.ndarray, "L F"],
        known: Float[np.ndarray, "H F"],
    ) -> Float[np.ndarray, " H"]:
        return np.asarray(self.model(past).smooth(estimates).forecast(len(known)), dtype=np.float64)
