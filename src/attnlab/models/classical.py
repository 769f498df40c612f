"""What statsmodels fits: parameters from the training part of a series, target by target; a forecast from each past.

The library is an extra: ``pip install 'attnlab[series]'``. Parameters are estimated once; the states that they move are
found anew in every past, so that a forecast depends on its window alone.
"""

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.models.forecast import UNREAD, Forecast, ForecastModel, error_on, sizes

TRIED = 16  #: training windows that the error in training is told of


class Classical(ForecastModel):
    """One model a target.

    Args:
        parameters: how many are estimated of each.
        dimensions: of the data.
    """

    fitted_at_once: ClassVar[bool] = True
    unread: ClassVar[tuple[str, ...]] = UNREAD
    estimates: Tensor

    def __init__(self, parameters: int, **dimensions: Any) -> None:
        super().__init__(sizes(dimensions))
        self.register_buffer("estimates", torch.zeros(self.dimensions.targets, parameters, dtype=torch.float64))

    @abstractmethod
    def estimate(self, series: Float[np.ndarray, " T"], features: Float[np.ndarray, "T F"]) -> Float[np.ndarray, " P"]:
        """The parameters of one target, by its training part."""

    @abstractmethod
    def ahead(
        self,
        estimates: Float[np.ndarray, " P"],
        past: Float[np.ndarray, " L"],
        before: Float[np.ndarray, "L F"],
        known: Float[np.ndarray, "H F"],
    ) -> Float[np.ndarray, " H"]:
        """The forecast of one target from one past."""

    def fit(
        self, values: Float[np.ndarray, "T C"], features: Float[np.ndarray, "T F"], origins: Int[np.ndarray, " N"]
    ) -> float:
        with quiet():
            found = [self.estimate(values[:, target], features) for target in range(self.dimensions.targets)]
        self.estimates = torch.from_numpy(np.stack(found)).to(self.estimates.device)
        return error_on(self, values, features, origins, TRIED)

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        estimates = self.estimates.cpu().double().numpy()  # a precision plugin or .float() may have changed it
        windows = [part.double().cpu().numpy() for part in (past, before, known)]
        with quiet():
            told = [
                [self.ahead(own, seen[:, target], *more) for target, own in enumerate(estimates)]
                for seen, *more in zip(*windows, strict=True)
            ]
        return Forecast(torch.from_numpy(np.array(told)).to(past).transpose(1, 2).unsqueeze(-1))


class quiet(warnings.catch_warnings):  # noqa: N801 (a context, as those of contextlib)
    """Without the library's remarks on how an estimate was found: a table of scores says what it is worth."""

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()
        warnings.simplefilter("ignore")
