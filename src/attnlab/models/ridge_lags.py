r"""Ridge regression from the past to the future, all steps at once: the row that attention is held against.

$$\hat y = W^\top x + b, \qquad W = (X^\top X + \alpha I)^{-1} X^\top Y$$

Hoerl and Kennard 1970; X and Y centred, x all columns of a past, each standardised, and what is known of the future.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnlab.models.forecast import (
    UNREAD,
    Forecast,
    ForecastModel,
    differences,
    error_on,
    require_season,
    seasonal,
    sizes,
)
from attnlab.ranges import OneOrMore, Positive
from attnlab.types import ConfigError

CHUNK = 1024  #: windows of the normal equations that are in memory at once


class RidgeLags(ForecastModel):
    """Linear in the last points, fitted in closed form and in double precision.

    Args:
        alpha: weight of the squared size of W, beside the sum of squared errors.
        lags: points that are read; None for all of a past.
        subtract_last: read and tell what is above the last value (as NLinear, Zeng et al. 2023).
        difference: read and tell differences from the season before, of the last points that have one.
        dimensions: of the data.

    Raises:
        ConfigError: more lags than a past has.
    """

    fitted_at_once: ClassVar[bool] = True
    unread: ClassVar[tuple[str, ...]] = UNREAD

    def __init__(
        self,
        alpha: Positive = 1.0,
        lags: OneOrMore | None = None,
        subtract_last: bool = False,
        difference: bool = False,
        **dimensions: Any,
    ) -> None:
        super().__init__(sizes(dimensions))
        size = self.dimensions
        if difference:
            require_season(size, "model.difference=true", more=lags or 1)
        if lags is not None and lags > size.lookback:
            raise ConfigError(f"model.lags={lags}: a past has data.lookback={size.lookback} points; raise that")
        self.alpha, self.read = alpha, lags or size.lookback - size.season * difference
        self.subtract_last, self.difference = subtract_last, difference
        inputs = self.read * (size.channels + size.features) + size.horizon * size.features
        self.weight = nn.Parameter(torch.zeros(inputs, size.horizon * size.targets), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(size.horizon * size.targets), requires_grad=False)

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        told = self.inputs(past, before, known) @ self.weight.to(past) + self.bias.to(past)
        size = self.dimensions
        values = told.unflatten(1, (size.horizon, size.targets)) + self.base(past)
        return Forecast(values.unsqueeze(-1))

    def inputs(self, past: Tensor, before: Tensor, known: Tensor) -> Float[Tensor, "B N"]:
        """What the regression reads of windows."""
        seen = self.series(past)[:, -self.read :]
        if self.subtract_last:
            seen = seen - seen[:, -1:]
        return torch.cat([seen.flatten(1), before[:, -self.read :].flatten(1), known.flatten(1)], dim=1)

    def series(self, past: Tensor) -> Float[Tensor, "B D C"]:
        """What is read, before the last value is taken off."""
        return differences(past, self.dimensions.season) if self.difference else past

    def base(self, past: Tensor) -> Float[Tensor, "B H K"]:
        """What is told without any regression."""
        size, own = self.dimensions, past[..., : self.dimensions.targets]
        found = own.new_zeros(len(own), size.horizon, size.targets)
        if self.difference:
            found = found + seasonal(own, size.horizon, size.season)
        if self.subtract_last:
            found = found + self.series(own)[:, -1:]
        return found

    def fit(
        self, values: Float[np.ndarray, "T C"], features: Float[np.ndarray, "T F"], origins: Int[np.ndarray, " N"]
    ) -> float:
        """Solve the normal equations; X'X and X'Y are summed up a part of the windows at a time."""
        size, series, seen = self.dimensions, torch.from_numpy(values), torch.from_numpy(features)
        sums: list[Tensor] = []
        for start in range(0, len(origins), CHUNK):
            at = torch.from_numpy(origins[start : start + CHUNK]).unsqueeze(1)
            back, ahead = at + torch.arange(-size.lookback, 0), at + torch.arange(size.horizon)
            past = series[back]
            X = self.inputs(past, seen[back], seen[ahead])
            Y = (series[ahead][..., : size.targets] - self.base(past)).flatten(1)
            parts = [X.T @ X, X.T @ Y, X.sum(0), Y.sum(0)]
            sums = [a + b for a, b in zip(sums, parts, strict=True)] if sums else parts
        self._solve(sums, len(origins))
        return error_on(self, values, features, origins)

    def _solve(self, sums: list[Tensor], windows: int) -> None:
        XX, XY, x, y = sums
        x, y = x / windows, y / windows
        centred = XX - windows * torch.outer(x, x), XY - windows * torch.outer(x, y)
        W = torch.linalg.solve(centred[0] + self.alpha * torch.eye(len(x), dtype=x.dtype), centred[1])
        self.weight.data = W.float().to(self.weight.device)
        self.bias.data = (y - x @ W).float().to(self.bias.device)
