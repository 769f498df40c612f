r"""Regression on what is known, with seasonal ARIMA errors.

$$y_t = \beta^\top f_t + n_t, \qquad
\phi(L)\, \Phi(L^s)\, (1 - L)^d (1 - L^s)^D\, n_t = \theta(L)\, \Theta(L^s)\, \varepsilon_t$$

Box, Jenkins, Reinsel and Ljung 2015; ``SARIMAX`` of statsmodels, by its Kalman filter. With sines and cosines of the
position in a period (``data.harmonics``) for f it is the dynamic harmonic regression of Hyndman and Athanasopoulos
2021, section 10.5, which knows several seasons and long ones, where a seasonal ARIMA is too slow.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from attnlab.data.series.statsmodels_series import statsmodels
from attnlab.models.classical import Classical
from attnlab.ranges import OneOrMore, ZeroOrMore
from attnlab.types import ConfigError

WHAT = "model=sarimax"


class Sarimax(Classical):
    """One model a target; what is known of the future is the regression.

    Args:
        order: p, d and q.
        seasonal_order: P, D and Q.
        period: s, in points; None is the season of the data.
        steps: of the optimizer, at most.
        lookback: points of a past.
        features: how many numbers are known of a point.
        season: of the data, in points.
        dimensions: the rest of them.

    Raises:
        ConfigError: an order that cannot be, or statsmodels is missing.
    """

    def __init__(
        self,
        lookback: int,
        features: int,
        season: int,
        order: list[ZeroOrMore] | None = None,
        seasonal_order: list[ZeroOrMore] | None = None,
        period: OneOrMore | None = None,
        steps: OneOrMore = 50,
        **dimensions: Any,
    ) -> None:
        statsmodels("tsa.api", WHAT)
        self.order, seasonal = tuple(order or (1, 0, 0)), tuple(seasonal_order or (0, 0, 0))
        for name, value in (("order", self.order), ("seasonal_order", seasonal)):
            if len(value) != 3:
                raise ConfigError(f"model.{name}={list(value)}: expected three numbers, [1,0,1]")
        every = period or season
        if any(seasonal) and every < 2:
            raise ConfigError(
                f"model.seasonal_order={list(seasonal)} asks for a season: set dataset.season or model.period"
            )
        self.seasonal_order, self.steps = (*seasonal, every if any(seasonal) else 0), steps
        parameters = self.model(np.zeros(lookback), np.zeros((lookback, features))).k_params
        super().__init__(parameters, lookback=lookback, features=features, season=season, **dimensions)

    def model(self, series: Float[np.ndarray, " T"], features: Float[np.ndarray, "T F"]) -> Any:
        made = statsmodels("tsa.statespace.sarimax", WHAT).SARIMAX
        exog = features if features.shape[1] else None
        return made(series, exog, order=self.order, seasonal_order=self.seasonal_order, enforce_stationarity=False)

    def estimate(self, series: Float[np.ndarray, " T"], features: Float[np.ndarray, "T F"]) -> Float[np.ndarray, " P"]:
        found = self.model(series, features).fit(disp=False, maxiter=self.steps)
        return np.asarray(found.params, dtype=np.float64)

    def ahead(
        self,
        estimates: Float[np.ndarray, " P"],
        past: Float[np.ndarray, " L"],
        before: Float[np.ndarray, "L F"],
        known: Float[np.ndarray, "H F"],
    ) -> Float[np.ndarray, " H"]:
        filtered = self.model(past, before).filter(estimates)
        return np.asarray(filtered.forecast(len(known), exog=known if known.shape[1] else None), dtype=np.float64)
