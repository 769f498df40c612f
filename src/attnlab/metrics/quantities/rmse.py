"""The root of the mean squared error of forecasts, over steps and targets, in the unit of the series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.metrics.noted import forecast_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class RootMeanSquared(Summed):
    """C is: the sum of (y - forecast)^2, how many."""

    def count(self, record: Record) -> Sequence[float] | None:
        found = forecast_of(record)
        return None if found is None else (float(((found[0] - found[1]) ** 2).sum()), float(found[0].size))

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        return (sums[..., 0] / sums[..., 1]) ** 0.5


RMSE = RootMeanSquared(name="rmse", title="RMSE", better="lower", lowest=0, tests=("bs", "ar", "dm"))
