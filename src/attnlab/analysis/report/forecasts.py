"""Forecasts of a series in the report: what came, and what each configuration said of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attnlab.analysis.comparison import Comparison
from attnlab.metrics.noted import forecast_of
from attnlab.viz.chart import OVERLAID
from attnlab.viz.forecast import PAST, forecast
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn_forecasts(comparison: Comparison, looks: Mapping[str, Look]) -> "list[tuple[int, Figure]]":
    """An early and the last window of the split, by their numbers; empty where runs have no forecasts.

    What came before a window is told by the windows before it, so that the very first ones have no past to show. Of
    each of the best configurations the first run is drawn.
    """
    best = [row.configuration for row in comparison.rows[comparison.split]][:OVERLAID]
    runs = {name: comparison.configuration(name).runs[0] for name in best}
    lines = {name: [item.record for item in run.items(comparison.split)] for name, run in runs.items()}
    first = next(iter(lines.values()))
    if any(forecast_of(record) is None or not isinstance(record.get("origin"), int) for record in first):
        return []
    return [
        (number, _drawn(number, lines, looks)) for number in dict.fromkeys((min(PAST, len(first) - 1), len(first) - 1))
    ]


def _drawn(number: int, lines: Mapping[str, Sequence[Mapping[str, Any]]], looks: Mapping[str, Look]) -> "Figure":
    own = next(iter(lines.values()))
    found = {name: forecast_of(records[number]) for name, records in lines.items()}
    told = {name: pair[1] for name, pair in found.items() if pair is not None}
    truth = np.array(own[number]["truth"], dtype=np.float64)
    names = [str(name) for name in own[number].get("targets") or range(truth.shape[1])]
    colors = {name: looks[name].color for name in told}
    return forecast(_before(number, own), truth, told, {}, names, int(own[number]["origin"]), colors=colors)


def _before(number: int, records: Sequence[Mapping[str, Any]]) -> Float[np.ndarray, "P K"]:
    """What came before a window, as far as the windows before it tell without a gap."""
    start = records[number]["origin"]
    parts: list[Float[np.ndarray, "H K"]] = []
    for record in records[:number][::-1]:
        truth = np.array(record["truth"], dtype=np.float64)
        if record["origin"] + len(truth) != start:
            break
        start, parts = record["origin"], [truth, *parts]
    return np.concatenate(parts) if parts else np.zeros((0, len(records[number]["truth"][0])))
