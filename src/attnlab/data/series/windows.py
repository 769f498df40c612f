"""Windows of a series as batches: a past, what is known of the future, and what came."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from attnlab.data.sentences import Weightless
from attnlab.types import NO_SENTENCE


class SeriesBatch(NamedTuple):
    """Windows of one batch; numbers are standardised, all of a past is real."""

    past: Float[Tensor, "B L C"]  #: the columns, targets first
    before: Float[Tensor, "B L F"]  #: features that are known of the future too (columns, calendar), of the past
    known: Float[Tensor, "B H F"]  #: and of the points that are forecast
    target: Float[Tensor, "B H K"]
    index: Int[Tensor, " B"]  # type: ignore[assignment]  #: number in its split (hides tuple.index)


class Split(NamedTuple):
    """A split in memory: one series, and where forecasts begin in it."""

    values: Float[np.ndarray, "T C"]  #: standardised
    features: Float[np.ndarray, "T F"]
    raw: Float[np.ndarray, "T K"]  #: the targets as the file has them
    origins: Int[np.ndarray, " N"]  #: the first point of each forecast
    scale: Float[np.ndarray, " K"]  #: what MASE divides the errors of each target by
    lags: Mapping[int, int] | None = None  #: by origin the lag that matters, where that is known


class Windows(Dataset[SeriesBatch]):
    """A list of rows comes back as one batch.

    Args:
        split: of a series.
        lookback: points of a past.
        horizon: points of a forecast.
        targets: so many of the columns are forecast, the first ones.
    """

    def __init__(self, split: Split, lookback: int, horizon: int, targets: int) -> None:
        self.split, self.lookback, self.horizon, self.targets = split, lookback, horizon, targets
        self._values = torch.from_numpy(split.values).float()
        self._features = torch.from_numpy(split.features).float()

    def __len__(self) -> int:
        return len(self.split.origins)

    def __getitem__(self, row: int) -> SeriesBatch:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> SeriesBatch:
        index = np.asarray(rows, np.int64)
        origins = torch.from_numpy(self.split.origins[index]).unsqueeze(1)
        past, ahead = origins + torch.arange(-self.lookback, 0), origins + torch.arange(self.horizon)
        if isinstance(rows, Weightless):
            index = np.full_like(index, NO_SENTENCE)
        return SeriesBatch(
            self._values[past],
            self._features[past],
            self._features[ahead],
            self._values[ahead][..., : self.targets],
            torch.from_numpy(index),
        )
