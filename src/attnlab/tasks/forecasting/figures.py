"""Forecasts as figures, for the run folder and the dashboards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from attnlab.tasks.forecasting.records import Forecasted
from attnlab.viz.forecast import forecast
from attnlab.viz.heatmap import save

FIGURES = 3  #: of a split, evenly spread over its origins


def save_forecasts(folder: Path, records: Mapping[str, Sequence[Forecasted]]) -> dict[str, Path]:
    """Write ``forecasts/<split>_<number>.png``; give them by what dashboards call them."""
    drawn = {}
    for split, found in records.items():
        for number in chosen(len(found)):
            item, path = found[number], folder / "forecasts" / f"{split}_{number}.png"
            if np.isfinite(item.told).all():
                title = f"{split} window {number}, from point {item.origin}"
                told = {"forecast": item.told}
                save(forecast(item.past, item.truth, told, item.quantiles, item.names, item.origin, title), path)
                drawn[f"{split}/forecast/{split}_{number}"] = path
    return drawn


def chosen(items: int, most: int = FIGURES) -> list[int]:
    """So many numbers of items, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, items - 1, min(most, items)).tolist()})
