"""What an explanation of a run is shown by: rank correlations, attention against leaving out, other weights."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from attnlab.viz.chart import HEIGHT, SMALL, WIDTH, canvas, quiet, settle
from attnlab.viz.fonts import DEFAULT
from attnlab.viz.page import INK, style
from attnlab.viz.palette import HUES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Positions = Float[np.ndarray, "M 2"]


def shown_positions(lines: Sequence[Mapping[str, Any]], most: int = 3000) -> Positions:
    """Attention and change by leaving out of each position, of so many at most, evenly spread."""
    found = [
        pair
        for line in lines
        for pair in zip(line["rankings"]["attention"], line["rankings"]["leave_one_out"], strict=True)
    ]
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    return table[:: max(1, -(-len(table) // most))]


def correlation_figure(taus: Mapping[str, Sequence[float]], positions: Positions) -> "Figure":
    """Left the taus of the instances, a box a measure; right attention against leaving out, a dot a position."""
    figure = canvas(2 * WIDTH, HEIGHT)
    left, right = figure.subplots(1, 2)
    quiet(left, "Kendall's tau of an instance with attention", "", grid="x")
    names = list(taus)
    if names:
        drawn = left.boxplot(
            [np.asarray(taus[name]) for name in names], orientation="horizontal", widths=0.6, patch_artist=True,
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": INK},
            medianprops={"color": INK}, whiskerprops={"color": INK}, capprops={"color": INK},
        )  # fmt: skip
        for box in drawn["boxes"]:
            box.set(facecolor=HUES[2], alpha=0.6, edgecolor=INK)
        left.set_yticks(range(1, len(names) + 1), names, **style([DEFAULT], SMALL))
    left.axvline(0, color=INK, linewidth=0.7)
    left.set_xlim(-1.02, 1.02)
    left.invert_yaxis()
    _dots(right, positions, "attention", "change of the output\nwithout the position")
    return settle(figure)


def weights_figure(pairs: Sequence[tuple[float, Mapping[str, float | None]]]) -> "Figure":
    """Against the largest weight of each instance: the change by permuted weights, the divergence of the adversary."""
    figure = canvas(2 * WIDTH, HEIGHT)
    left, right = figure.subplots(1, 2)
    for axes, name, title in (
        (left, "permuted_change", "median change of the output,\nweights permuted"),
        (right, "adversarial_divergence", "divergence of the adversary (nats)"),
    ):
        known = [(weight, value) for weight, measured in pairs if (value := measured.get(name)) is not None]
        _dots(axes, np.array(known, dtype=np.float64).reshape(-1, 2), "largest weight of the instance", title)
    right.axhline(np.log(2), color=INK, linewidth=0.7, linestyle=(0, (3, 2)))
    right.annotate("ln 2", (1.0, np.log(2)), xytext=(0, -9), textcoords="offset points", ha="right",
                   **style([DEFAULT], SMALL))  # fmt: skip
    right.set_ylim(top=0.72)
    return settle(figure)


def adversaries_figure(points: Sequence[tuple[str, float, float]]) -> "Figure":
    """How far trained adversaries say something else against how far they look elsewhere; a dot each, by lambda."""
    figure = canvas(WIDTH, HEIGHT)
    axes = figure.subplots()
    quiet(axes, "divergence of the weights (nats)", "change of the output", grid="both")
    table = np.array([(far, change) for _, far, change in points], dtype=np.float64).reshape(-1, 2)
    order = table[:, 0].argsort()
    axes.plot(table[order, 0], table[order, 1], "-", color=HUES[4], marker="o", markersize=5)
    for (name, far, change), above in zip(points, _above(table), strict=True):
        axes.annotate(f"λ = {name}", (far, change), xytext=(0, 7 if above else -14), textcoords="offset points",
                      ha="left" if far < 0.05 else "center", **style([DEFAULT], SMALL))  # fmt: skip
    axes.set_xlim(0, 0.75)
    top = float(table[:, 1].max(initial=0.01))
    axes.set_ylim(-0.15 * top, 1.15 * top)
    return settle(figure)


def _above(table: Positions) -> list[bool]:
    """Which dots have their label above: those that are not below the one that is nearest to them."""
    if len(table) < 2:
        return [True] * len(table)
    scaled = table / table.max(0, initial=1e-9)
    apart = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return [bool(row[1] >= table[near, 1]) for row, near in zip(table, apart.argmin(1), strict=True)]


def _dots(axes: "Axes", table: Positions, x: str, y: str) -> None:
    quiet(axes, x, y, grid="both")
    axes.plot(table[:, 0], table[:, 1], ".", color=HUES[4], alpha=0.5, markersize=5, markeredgewidth=0)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(bottom=-0.02 * max(float(table[:, 1].max(initial=0)), 1e-3))
