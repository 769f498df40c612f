"""What comes after the end of a table, by a finished run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from attnlab.data.series.saved import Learnt, saved
from attnlab.data.series.scaling import calendar
from attnlab.data.series.table import Table, filled, raw_table
from attnlab.data.series.windows import SeriesBatch
from attnlab.models.forecast import Forecast, ForecastModel
from attnlab.runs.writing import Map
from attnlab.tasks.prediction import Predictor, Seen, plain
from attnlab.types import DataError


class Predicted(NamedTuple):
    """The points after the end of a table."""

    names: tuple[str, ...]  #: of the targets
    first: int  #: the number of the first point that is forecast, rows counted from 0
    values: Float[np.ndarray, "H K"]
    quantiles: Mapping[float, Float[np.ndarray, "H K"]]
    lags: list[str]
    weights: Float[np.ndarray, "H S"] | None

    @property
    def short(self) -> str:
        """A CSV: a row a step, a column a target, and one for each of its quantiles."""
        names = [*self.names, *(f"{name} {level}" for level in self.quantiles for name in self.names)]
        table = np.concatenate([self.values, *self.quantiles.values()], axis=1)
        rows = (f"{self.first + step},{','.join(f'{value:.7g}' for value in row)}" for step, row in enumerate(table))
        return "\n".join([f"point,{','.join(names)}", *rows])

    def line(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "targets": list(self.names),
            "forecast": self.values.tolist(),
            "quantiles": {str(level): values.tolist() for level, values in self.quantiles.items()} or None,
            "lags": None if self.weights is None else self.lags,
            "weights": None if self.weights is None else np.round(self.weights.astype(np.float64), 4).tolist(),
        }

    def map(self, number: int) -> Map | None:
        if self.weights is None:
            return None
        steps = [f"+{step}" for step in range(1, len(self.values) + 1)]
        return Map(number, self.weights, self.lags, steps, note=f"lags looked at from point {self.first}", lags=True)


class SeriesPredictor(Predictor):
    """Forecasts what comes after the last row of a CSV: all of an input is one series.

    Its first line has the names of the columns, as training's had. Where columns are known of the future, the file has
    rows for it in which the targets are empty. Calendar features count from the first row, as in training.

    Args:
        folder: with ``series.json``.

    Raises:
        DataError: it is missing or damaged.
    """

    whole = True

    def __init__(self, folder: Path) -> None:
        self.learnt: Learnt = saved(folder)

    @property
    def dimensions(self) -> Mapping[str, Any]:
        return self.learnt.dimensions

    def tokens(self, text: str) -> int:
        return 1  # one series

    def draws(self, model: ForecastModel) -> bool:  # type: ignore[override]
        return model.has_weights

    def __call__(  # type: ignore[override]
        self, model: ForecastModel, texts: Sequence[str], device: torch.device
    ) -> list[Predicted]:
        return [self._told(model, *self._batch(text, device)) for text in texts]

    def _told(self, model: ForecastModel, batch: SeriesBatch, first: int) -> Predicted:
        found: Forecast = model(batch.past, batch.before, batch.known)
        (values,) = self.learnt.scaling.unscaled(plain(found.values))
        weights = None if found.weights is None else plain(found.weights[0])
        levels = {level: values[..., place] for place, level in enumerate(model.quantiles)}
        return Predicted(self.learnt.columns.targets, first, values[..., model.middle], levels, model.lags, weights)

    def _batch(self, text: str, device: torch.device) -> tuple[SeriesBatch, int]:
        """The one window that ends with the last row, and the number of the first point to be forecast."""
        size, columns = self.learnt.dimensions, self.learnt.columns
        table = raw_table(text.splitlines(), "input", columns.all)
        end = self._end(table)
        if end < size["lookback"]:
            raise DataError(f"input: {end} rows, and the run looks back at {size['lookback']}; give it as many or more")
        rows = filled(table.values[:end], table.names, self.learnt.missing, "input")
        scaled = self.learnt.scaling.scaled(np.concatenate([rows, table.values[end : end + size["horizon"]]]))
        waves = calendar(np.arange(end + size["horizon"]), self.learnt.plan.periods, self.learnt.harmonics)
        own = scaled[:, len(columns.all) - len(columns.known) :]
        features = np.concatenate([own, waves], axis=1) if columns.known else waves
        start = end - size["lookback"]
        unknown = np.zeros((size["horizon"], size["targets"]))
        past, before, known, target = (
            torch.from_numpy(part).float().unsqueeze(0).to(device)
            for part in (scaled[start:end], features[start:end], features[end:], unknown)
        )
        return SeriesBatch(past, before, known, target, torch.zeros(1, dtype=torch.long)), end

    def _end(self, table: Table) -> int:
        """Where the past ends: with the last row, or with the last one before those that only the future has."""
        columns, horizon = self.learnt.columns, self.learnt.plan.horizon
        if not columns.known:
            return len(table.values)
        empty = np.isnan(table.values[:, : len(columns.targets)]).all(1)
        end = len(empty) - int(np.argmin(empty[::-1])) if not empty.all() else 0
        ahead = table.values[end : end + horizon, len(columns.all) - len(columns.known) :]
        if len(ahead) < horizon or np.isnan(ahead).any():
            raise DataError(
                f"input: {len(ahead)} rows of the future, expected {horizon} at the end of the file, with "
                f"{', '.join(columns.known)} and with {', '.join(columns.targets)} empty"
            )
        return end

    @torch.no_grad()
    def seen(  # type: ignore[override]
        self, model: ForecastModel, texts: Sequence[str], device: torch.device
    ) -> list[tuple[Predicted, Seen | None]]:
        """What every step looks at, by head where there are any."""
        return [self._seen(model, text, device) for text in texts]

    def _seen(self, model: ForecastModel, text: str, device: torch.device) -> tuple[Predicted, Seen | None]:
        batch, first = self._batch(text, device)
        found = self._told(model, batch, first)
        item = found.map(0)
        if item is None:
            return found, None
        heads = model.weights_by_head(batch.past, batch.before, batch.known)
        return found, Seen(item._replace(heads=None if heads is None else plain(heads[0])))


def predictor(folder: Path, data: Mapping[str, Any]) -> Predictor:
    """Of a finished run, from the folder where its data wrote."""
    return SeriesPredictor(folder)
