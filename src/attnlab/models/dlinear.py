r"""DLinear: a moving average and what is left of it, each through one linear layer from the past to the future.

$$x = t + r, \quad t_i = \frac{1}{k} \sum_j x_{i+j-\lfloor k/2 \rfloor}, \qquad \hat y = W_t t + b_t + W_r r + b_r$$

Zeng, Chen, Zhang and Xu 2023, "Are transformers effective for time series forecasting?", section 3; the ends of the
past are repeated for the average, every column has the same layers, and they begin from 1/L, as in the authors' code.
"""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.models.forecast import Forecast, ForecastModel, sizes
from attnlab.ranges import Level, Width
from attnlab.types import ConfigError


class DLinear(ForecastModel):
    """Of each target's own past.

    Args:
        kernel: k, points of the moving average; odd, so that it has a middle.
        quantiles: to be forecast, with layers of their own; null for a point forecast.
        dimensions: of the data.

    Raises:
        ConfigError: an even kernel, or quantiles that cannot be.
    """

    def __init__(self, kernel: Width = 25, quantiles: list[Level] | None = None, **dimensions: Any) -> None:
        super().__init__(sizes(dimensions), quantiles)
        if kernel % 2 == 0:
            raise ConfigError(f"model.kernel={kernel}: expected an odd number, so that the average has a middle")
        size, self.kernel = self.dimensions, kernel
        self.trend, self.rest = (nn.Linear(size.lookback, size.horizon * self.outputs) for _ in range(2))
        for layer in (self.trend, self.rest):
            nn.init.constant_(layer.weight, 1 / size.lookback)

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        own = past[..., : self.dimensions.targets].transpose(1, 2)
        trend = moving_average(own, self.kernel)
        told = self.trend(trend) + self.rest(own - trend)
        return Forecast(told.unflatten(2, (self.dimensions.horizon, self.outputs)).transpose(1, 2))


def moving_average(series: Float[Tensor, "B K L"], kernel: int) -> Float[Tensor, "B K L"]:
    """The mean around each point; the first and the last one are repeated beyond the ends."""
    padded = F.pad(series, (kernel // 2, kernel // 2), mode="replicate")
    return F.avg_pool1d(padded, kernel, stride=1)
