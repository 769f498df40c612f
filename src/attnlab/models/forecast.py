"""The contract of a model that forecasts series: standardised pasts in, standardised futures out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnlab.ranges import Level
from attnlab.types import ConfigError, Sample

#: The least that a model can be built for, to see whether settings go together before there are data.
SMALLEST: Mapping[str, Any] = {
    "lookback": 1024, "horizon": 2, "channels": 1, "targets": 1, "features": 0, "season": 2,
}  # fmt: skip
#: Settings that decide nothing for a model that is fitted at once: all training windows are fitted together.
UNREAD = (
    "data.batch_size", "data.seed", "callbacks.early_stopping", "task.loss", "trainer.accumulate_grad_batches",
    "trainer.gradient_clip_algorithm", "trainer.gradient_clip_val", "trainer.limit_train_batches",
    "trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "trainer.min_epochs", "trainer.min_steps",
    "trainer.overfit_batches",
)  # fmt: skip


class Forecast(NamedTuple):
    """What a model says of futures."""

    values: Float[Tensor, "B H K Q"]  #: of each quantile; one value where the model tells a point
    weights: Float[Tensor, "B H S"] | None = None  #: over the past, where there is attention
    sample: Sample | None = None  #: of weights that were drawn at random


class Dimensions(NamedTuple):
    """What a model needs to know of the data."""

    lookback: int  #: L
    horizon: int  #: H
    channels: int  #: C, columns of a past
    targets: int  #: K, the first of them, which are forecast
    features: int  #: F, what is known of the future, too
    season: int  #: in points


def sizes(given: Mapping[str, Any]) -> Dimensions:
    """What a model's constructor was given of the data, by name."""
    return Dimensions(**given)


class ForecastModel(nn.Module, ABC):
    """Windows to forecasts.

    Args:
        dimensions: of the data.
        quantiles: of the distribution to be forecast, rising; empty for a point forecast.

    Raises:
        ConfigError: no quantiles, or none that is a point forecast.
    """

    smallest: ClassVar[Mapping[str, Any]] = SMALLEST
    fitted_at_once: ClassVar[bool] = False
    has_weights: bool = False

    def __init__(self, dimensions: Dimensions, quantiles: list[Level] | None = None) -> None:
        super().__init__()
        self.dimensions, self.quantiles = dimensions, tuple(quantiles or ())
        if self.quantiles and not (
            0.5 in self.quantiles and all(a < b for a, b in pairwise((0.0, *self.quantiles, 1.0)))
        ):
            raise ConfigError(
                f"model.quantiles={list(self.quantiles)}: expected rising numbers between 0 and 1 with 0.5, which is "
                "the point forecast, among them, such as [0.1,0.5,0.9]"
            )

    @property
    def outputs(self) -> int:
        """Q: numbers that are told of a point."""
        return len(self.quantiles) or 1

    @property
    def middle(self) -> int:
        """Which of them is the point forecast."""
        return self.quantiles.index(0.5) if self.quantiles else 0

    @property
    def lags(self) -> list[str]:
        """What the columns of the weights are: how many points before the forecast, the oldest first."""
        return []

    @abstractmethod
    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast: ...

    @torch.no_grad()
    def weights_by_head(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Float[Tensor, "B 1 N H S"] | None:
        """What each of N heads looks at; None where there are none."""
        return None

    def fit(
        self, values: Float[np.ndarray, "T C"], features: Float[np.ndarray, "T F"], origins: Int[np.ndarray, " N"]
    ) -> float:
        """Fit a model that is ``fitted_at_once`` to a series; give its mean absolute error on the training windows."""
        raise NotImplementedError(f"{type(self).__name__} is trained by gradients")

    def surrogate(self, found: Forecast, reward: Float[Tensor, " B"]) -> Float[Tensor, ""] | None:
        """What weights that were drawn at random add to the objective, summed; None where none were."""
        return None


def seasonal(past: Float[Tensor, "B L K"], horizon: int, season: int) -> Float[Tensor, "B H K"]:
    """The last season again, as often as the horizon asks for it: y_{t+h} = y_{t+h-ms}, m = ceil(h / s)."""
    steps = torch.arange(horizon, device=past.device) % season
    return past[:, past.size(1) - season + steps]


def differences(past: Float[Tensor, "B L C"], season: int) -> Float[Tensor, "B D C"]:
    """What has changed since a season before, x_j - x_{j-s}, of the points of a past that have one: D = L - s."""
    return past[:, season:] - past[:, : past.size(1) - season]


def require_season(dimensions: Dimensions, what: str, seasons: int = 1, more: int = 0) -> None:
    """Refuse a past that does not reach back so many seasons, and so many points more.

    Raises:
        ConfigError: with both.
    """
    least = seasons * dimensions.season + more
    if least > dimensions.lookback:
        raise ConfigError(
            f"{what} looks a season of {dimensions.season} points back, and a past has data.lookback="
            f"{dimensions.lookback}; raise it to {least} or more"
        )


@torch.no_grad()
def error_on(
    model: ForecastModel,
    values: Float[np.ndarray, "T C"],
    features: Float[np.ndarray, "T F"],
    origins: Int[np.ndarray, " N"],
    most: int = 256,
) -> float:
    """The mean absolute error on training windows, at most so many of them, evenly spread."""
    size = model.dimensions
    chosen = origins[np.linspace(0, len(origins) - 1, min(most, len(origins))).round().astype(np.int64)]
    series, seen = torch.from_numpy(values).float(), torch.from_numpy(features).float()
    found = []
    for start in chosen.tolist():
        past, ahead = slice(start - size.lookback, start), slice(start, start + size.horizon)
        told = model(series[None, past], seen[None, past], seen[None, ahead]).values[0, ..., model.middle]
        found.append(float((told - series[ahead, : size.targets]).abs().mean()))
    return float(np.mean(found))
