"""Curves of several configurations: scores by step, by time, by sentence length, by word frequency.

Up to eight lie over each other, as in Bahdanau et al. (2015), figure 2; more are drawn as small multiples, each
one in its colours before all others in grey.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.errors import DataError
from attnlab.viz.chart import OVERLAID, RULE, SMALL, canvas, count, legend, look_of, quiet, settle, size
from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.page import extents, style
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, ACROSS = (2.0, 1.6), 4  # inches of one of the small multiples, panels in a row
SLANTED = 0.5  # inches that slanted names take more
BESIDE = 0.7  # inches beside the axes
BAND = 0.5  # of the room of a bucket, over which the configurations are spread out

Line = tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]  #: x and y


class Curve(NamedTuple):
    """A configuration: a line a seed, all drawn faint, their mean drawn full.

    The points of the lines belong together: the same bucket, or the same validation, which one seed may have
    reached later than another.
    """

    label: str
    lines: Sequence[Line]

    @property
    def mean(self) -> Line:
        """The mean of x and y over seeds, point by point, as far as all of them have a value."""
        x, y = self.shared
        return x.mean(axis=0), y.mean(axis=0)

    @property
    def shared(self) -> tuple[Float[np.ndarray, "seeds points"], Float[np.ndarray, "seeds points"]]:
        """The x and y of every seed, at the points that all of them have."""
        points = min((len(y) for _, y in self.lines), default=0)
        if not points:
            return np.zeros((1, 0)), np.zeros((1, 0))
        x, y = (np.array([line[axis][:points] for line in self.lines], dtype=np.float64) for axis in (0, 1))
        known = np.isfinite(y).all(axis=0)
        return x[:, known], y[:, known]


def curves(
    drawn: Sequence[Curve], looks: Mapping[str, Look], x: str, y: str, buckets: Sequence[str] | None = None
) -> "Figure":
    """Draw scores over something.

    Args:
        drawn: the configurations; the x of each line ascend, NaN in y is a point that is not there.
        looks: of every label.
        x: names the axis across.
        y: names the axis up.
        buckets: the x are numbers of these, and means get bars from the lowest seed to the highest. Small multiples
            have room for the first line of each.

    Raises:
        DataError: nothing can be drawn, or a label has no look.
    """
    if not any(curve.mean[0].size for curve in drawn):
        raise DataError(f"{y} over {x}: no configuration has a value; leave this figure out")
    if unknown := [curve.label for curve in drawn if curve.label not in looks]:
        raise DataError(f"no look for {unknown}; expected one for every label, see attnlab.viz.palette.looks")
    return (_overlaid if len(drawn) <= OVERLAID else _multiples)(drawn, looks, x, y, buckets)


def _overlaid(
    drawn: Sequence[Curve], looks: Mapping[str, Look], x: str, y: str, buckets: Sequence[str] | None
) -> "Figure":
    figure = canvas(*size())
    axes = figure.add_subplot()
    quiet(axes, x, y)
    for number, curve in enumerate(drawn):
        shift = BAND * ((number + 0.5) / len(drawn) - 0.5) if buckets else 0.0
        _draw(axes, curve, looks[curve.label], shift, spread=buckets is not None)
    _scale(axes, buckets)
    legend(figure, looks, [curve.label for curve in drawn])
    return settle(figure)


def _multiples(
    drawn: Sequence[Curve], looks: Mapping[str, Look], x: str, y: str, buckets: Sequence[str] | None
) -> "Figure":
    from matplotlib.collections import LineCollection

    rows = ceil(len(drawn) / ACROSS)
    others = [np.column_stack(curve.mean) for curve in drawn]
    figure = canvas(PANEL[0] * ACROSS, PANEL[1] * rows + 0.3)
    grid = figure.subplots(rows, ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    titles, fonts = legible([curve.label for curve in drawn])
    for number, (curve, title, axes) in enumerate(zip(drawn, titles, grid, strict=False)):
        quiet(axes, "", "")
        axes.add_collection(LineCollection(others, colors=RULE, linewidths=0.9, zorder=1))
        _draw(axes, curve, looks[curve.label], 0.0, spread=buckets is not None)
        axes.tick_params(labelbottom=number + ACROSS >= len(drawn))  # nothing stands under it
        axes.set_title(title, loc="left", **style(fonts, SMALL))
        _scale(axes, [name.split("\n")[0] for name in buckets or ()] or None, slanted=True)
    for axes in grid[len(drawn) :]:
        axes.set_visible(False)
    figure.supxlabel(x, **style([DEFAULT], SMALL))
    figure.supylabel(y, **style([DEFAULT], SMALL))
    return settle(figure)


def _draw(axes: "Axes", curve: Curve, look: Look, shift: float, spread: bool) -> None:
    x, y = curve.mean
    if spread and len(curve.lines) > 1:
        _, values = curve.shared
        reach = np.abs(np.stack([y - values.min(0), values.max(0) - y]))
        axes.errorbar(x + shift, y, yerr=reach, fmt="none", ecolor=look.color, elinewidth=1.0, capsize=2, alpha=0.7)
    elif len(curve.lines) > 1:
        for line in curve.lines:
            axes.plot(*line, color=look.color, linewidth=0.8, alpha=0.35)
    # Markers at a tenth of a long curve's points: beads on a string tell nothing.
    axes.plot(x + shift, y, **look_of(look), markevery=max(1, len(x) // 10), zorder=3)


def _scale(axes: "Axes", buckets: Sequence[str] | None, slanted: bool = False) -> None:
    """Let the axis up start at 0 where that costs little, and write thousands as k."""
    low, high = axes.get_ylim()
    axes.set_ylim(bottom=0.0 if 0 < low < 0.5 * high else max(low, 0.0) if low > -0.1 * high else low)
    if buckets is None:
        count(axes)
        return
    if not slanted and crowded(buckets):
        buckets, slanted = [", ".join(name.split("\n")) for name in buckets], True
        figure = axes.get_figure(root=True)
        assert figure is not None  # axes stand in one
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + SLANTED)
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(len(buckets)), list(buckets), **turned)
    axes.set_xlim(-0.5, len(buckets) - 0.5)


def crowded(buckets: Sequence[str]) -> bool:
    """Whether their names, side by side under a chart, would run into each other."""
    widths = [width for width, _ in extents(list(buckets), [DEFAULT], SMALL)]
    return bool(max(widths) > (size()[0] - BESIDE) / len(buckets))
