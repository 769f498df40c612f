r"""The forecast that nothing is learnt for: the last value, at every step.

$$\hat y_{t+h} = y_t$$
"""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.models.forecast import UNREAD, Forecast, ForecastModel, error_on, sizes


class Naive(ForecastModel):
    """The last value again.

    Args:
        dimensions: of the data.
    """

    fitted_at_once: ClassVar[bool] = True
    unread: ClassVar[tuple[str, ...]] = UNREAD

    def __init__(self, **dimensions: Any) -> None:
        super().__init__(sizes(dimensions))

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        last = past[:, -1:, : self.dimensions.targets].expand(-1, self.dimensions.horizon, -1)
        return Forecast(last.unsqueeze(-1))

    def fit(
        self, values: Float[np.ndarray, "T C"], features: Float[np.ndarray, "T F"], origins: Int[np.ndarray, " N"]
    ) -> float:
        return error_on(self, values, features, origins)
