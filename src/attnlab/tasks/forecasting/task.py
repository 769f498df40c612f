"""Forecasting of series as a task: its loss, and what validation and testing measure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from attnlab.data.series.module import SeriesData
from attnlab.data.series.windows import SeriesBatch
from attnlab.metrics.quantity import Counted
from attnlab.models.forecast import Forecast, ForecastModel
from attnlab.runs.words import Words
from attnlab.runs.writing import Map, Value
from attnlab.tasks.base import Task
from attnlab.tasks.explaining import About, Instances
from attnlab.tasks.forecasting import VALIDATED
from attnlab.tasks.forecasting.explaining import window_instances
from attnlab.tasks.forecasting.figures import save_forecasts
from attnlab.tasks.forecasting.records import COLUMNS, Forecasted, cells
from attnlab.tasks.objective import Summed
from attnlab.tasks.prediction import plain
from attnlab.tasks.records import Table, drawable
from attnlab.tasks.schedules import Schedule
from attnlab.types import NO_SENTENCE

Loss = Literal["absolute", "squared", "huber"]


class Forecasting(Task[Forecasted]):
    """Train, validate and test a model that forecasts the next points of a series.

    Args:
        model: the network.
        data: windows of the series.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        loss: of standardised errors: ``absolute``, ``squared`` or ``huber`` (Huber 1964, squared below 1); where a
            model forecasts quantiles it is their pinball loss, twice, so that a median alone has the absolute one.
    """

    unit: ClassVar[str] = "windows"
    learns_draws: ClassVar[bool] = True
    words = Words("window", "windows", "forecast", "forecasts", "lag", "lags", "step", "steps")
    keys: ClassVar[Mapping[str, str]] = {"input": "window", "reference": "came", "output": "forecast"}
    quantities: tuple[Counted, ...] = VALIDATED

    def __init__(
        self,
        model: ForecastModel,
        data: SeriesData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        loss: Loss = "absolute",
    ) -> None:
        super().__init__(model, data, optimizer, schedule)
        self.model: ForecastModel
        self.data: SeriesData
        self.loss_kind = loss

    def fit(self) -> tuple[float, int]:
        """Fit a model in closed form, or by another library, to the training part of the series."""
        values, features, origins = self.data.training()
        return self.model.fit(values, features, origins), len(origins)

    def loss(self, batch: SeriesBatch) -> Summed:
        real = batch.index != NO_SENTENCE
        found: Forecast = self.model(batch.past, batch.before, batch.known)
        losses = objective(found.values, batch.target, self.model.quantiles, self.loss_kind)
        total = (losses * real).sum()
        extra = self.model.surrogate(found, -losses.detach())
        return Summed(total if extra is None else total + extra, int(real.sum()), {"train/loss": (losses * real).sum()})

    def records(self, split: str, batch: SeriesBatch) -> dict[int, Forecasted]:
        numbers = batch.index.tolist()
        if NO_SENTENCE in numbers:  # a row that keeps a process at work stands alone
            return {}
        found: Forecast = self.model(batch.past, batch.before, batch.known)
        values = self.data.scaling.unscaled(plain(found.values))
        weights = None if found.weights is None else plain(found.weights)
        return {
            number: self.record(split, number, values[row], None if weights is None else weights[row])
            for row, number in enumerate(numbers)
        }

    def record(
        self, split: str, number: int, values: Float[np.ndarray, "H K Q"], weights: Float[np.ndarray, "H S"] | None
    ) -> Forecasted:
        held, model = self.data.split(split), self.model
        origin = int(held.origins[number])
        return Forecasted(
            origin,
            self.data.targets,
            held.raw[origin - self.data.lookback : origin],
            held.raw[origin : origin + self.data.horizon],
            values[..., model.middle],
            held.scale,
            {level: values[..., place] for place, level in enumerate(model.quantiles)},
            model.lags,
            weights,
            None if held.lags is None else held.lags[origin],
        )

    def about(self) -> dict[str, Value]:
        """The scale of MASE is noted with every record, too; here that of the first target."""
        split = self.data.split(self.data.splits[-1])
        return {"horizon": self.data.horizon, "lookback": self.data.lookback, "mase_scale": float(split.scale[0])}

    def save_more(self, folder: Path, records: Mapping[str, Sequence[Forecasted]]) -> Mapping[str, Path]:
        """Forecasts of every split, as figures."""
        return save_forecasts(folder, records)

    @torch.no_grad()
    def maps(self, batch: SeriesBatch) -> list[Map]:
        found = self.records("val", batch)
        heads = self.model.weights_by_head(batch.past, batch.before, batch.known)
        maps = []
        for row, number in enumerate(batch.index.tolist()):
            item = found[number].map(number) if number in found else None
            if item is not None and drawable(item):
                maps.append(item if heads is None else item._replace(heads=plain(heads[row])))
        return maps

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> list[tuple[Instances, list[About]]]:
        return [window_instances(self.model, self.data, split, numbers)]

    @torch.no_grad()
    def samples(self, batch: SeriesBatch) -> Table:
        """Origins with what came, what was forecast, and the lags with most weight."""
        return Table(COLUMNS, [cells(number, item) for number, item in self.records("val", batch).items()])

    def table(self, records: Sequence[Forecasted]) -> Table:
        return Table(COLUMNS, [cells(number, item) for number, item in enumerate(records)])

    def plain(self, batch: SeriesBatch) -> list[dict[str, Any]]:
        origins = self.data.split("train").origins
        numbers = (number for number in batch.index.tolist() if number != NO_SENTENCE)
        return [{"number": number, "origin": int(origins[number])} for number in numbers]


def objective(
    values: Float[Tensor, "B H K Q"], target: Float[Tensor, "B H K"], quantiles: Sequence[float], kind: Loss
) -> Float[Tensor, " B"]:
    """What is minimised, of each window the mean over steps and targets."""
    errors = target.unsqueeze(-1) - values
    if quantiles:
        levels = torch.tensor(quantiles, dtype=errors.dtype, device=errors.device)
        found = 2 * torch.maximum(levels * errors, (levels - 1) * errors)
    elif kind == "absolute":
        found = errors.abs()
    else:
        measure = F.mse_loss if kind == "squared" else F.huber_loss
        found = measure(values, target.unsqueeze(-1).expand_as(values), reduction="none")
    return found.flatten(1).mean(1)
