"""What testing keeps of a window: what was forecast from an origin, and what came."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.runs.writing import Map

COLUMNS = ["number", "origin", "MAE", "came", "forecast", "looks most at lag"]  #: of a table of them
DIGITS = 7  #: that count, of numbers in a record


class Forecasted(NamedTuple):
    """A window, in the units of the series."""

    origin: int  #: the number of the first point that is forecast
    names: tuple[str, ...]  #: of the targets
    past: Float[np.ndarray, "L K"]
    truth: Float[np.ndarray, "H K"]
    told: Float[np.ndarray, "H K"]
    scale: Float[np.ndarray, " K"]  #: what MASE divides errors by
    quantiles: Mapping[float, Float[np.ndarray, "H K"]]  #: by level; empty where a point was forecast
    lags: list[str]  #: names of the columns of the weights
    weights: Float[np.ndarray, "H S"] | None
    lag: int | None = None  #: the one that matters, where that is known

    @property
    def lag_weight(self) -> float | None:
        """The attention on the true lag, mean over the steps; None where there is none, or it is not known."""
        if self.weights is None or self.lag is None:
            return None
        place = next(place for place, first in enumerate(self.lags) if int(first) <= self.lag)
        return float(self.weights[:, place].mean())

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``; ``truth``, ``told`` and each of ``quantiles`` have a list a step."""
        return {
            "window": f"{', '.join(self.names)} from point {self.origin}",  # whatever the past that a model reads
            "came": spelled(self.truth),
            "forecast": spelled(self.told),
            "origin": self.origin,
            "targets": list(self.names),
            "truth": plain(self.truth),
            "told": plain(self.told),
            "scale": plain(self.scale),
            "quantiles": {str(level): plain(values) for level, values in self.quantiles.items()} or None,
            "lag": self.lag,
            "lag_weight": self.lag_weight,
        }

    def map(self, number: int) -> Map | None:
        """The lags by their weight, a row a step."""
        if self.weights is None:
            return None
        steps = [f"+{step}" for step in range(1, len(self.truth) + 1)]
        note = f"lags looked at from point {self.origin}" + (
            "" if self.lag is None else f"; {self.lag} is the true one"
        )
        return Map(number, self.weights, self.lags, steps, note=note, lags=True)


def plain(values: Float[np.ndarray, "*N"]) -> Any:
    """Numbers as a line of JSON has them: what a file of single precision may say, no more."""
    return np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"), otypes=[np.float64])(values).tolist()


def spelled(values: Float[np.ndarray, "H K"]) -> str:
    """What a person reads of a stretch: its mean, least and most, target by target."""
    told = (f"{column.mean():.6g} ({column.min():.6g} to {column.max():.6g})" for column in values.T)
    return "; ".join(told)


def cells(number: int, item: Forecasted) -> list[Any]:
    """A row of a table, by ``COLUMNS``."""
    error = float(f"{np.abs(item.truth - item.told).mean():.6g}")
    return [number, item.origin, error, spelled(item.truth), spelled(item.told), most_weight(item)]


def most_weight(item: Forecasted, count: int = 3) -> str:
    """The lags with most weight over all steps, most first, each with its share."""
    if item.weights is None:
        return ""
    mean = item.weights.mean(0)
    return " ".join(f"{item.lags[place]} {mean[place]:.2f}" for place in np.argsort(-mean)[:count])
