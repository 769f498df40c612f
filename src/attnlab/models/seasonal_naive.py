r"""The last season again: what was a day, a week, a year before.

$$\hat y_{t+h} = y_{t+h-ms}, \qquad m = \lceil h / s \rceil$$
"""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from attnlab.models.forecast import Forecast, require_season, seasonal
from attnlab.models.naive import Naive
from attnlab.ranges import OneOrMore


class SeasonalNaive(Naive):
    """The value of one season before.

    Args:
        season: of the data.
        period: s, in points; None is the season of the data.
        dimensions: of the data, the rest of them.

    Raises:
        ConfigError: a past does not reach back a season.
    """

    def __init__(self, season: int, period: OneOrMore | None = None, **dimensions: Any) -> None:
        super().__init__(season=period or season, **dimensions)
        require_season(self.dimensions, "model=seasonal_naive")

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        size = self.dimensions
        return Forecast(seasonal(past[..., : size.targets], size.horizon, size.season).unsqueeze(-1))
