"""Bars of one score: the mean of a configuration, a dot for each of its seeds, and the interval."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attnlab.errors import DataError
from attnlab.viz.chart import FONT, PAPER, SMALL, canvas, quiet, settle, size
from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.page import INK, style
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.34  # inches


class Bar(NamedTuple):
    label: str
    seeds: Sequence[float]  #: the score of each training run
    interval: tuple[float, float] | None = None  #: of the mean


def bars(drawn: Sequence[Bar], looks: Mapping[str, Look], x: str, digits: int = 2) -> "Figure":
    """Draw a row a configuration, the first one on top; bars begin at 0, and ``digits`` of the mean follow the point.

    Raises:
        DataError: there is no row, or one without a score, or one without a look.
    """
    if not drawn or any(not len(bar.seeds) or bar.label not in looks for bar in drawn):
        raise DataError(
            f"{x}: {[(bar.label, len(bar.seeds)) for bar in drawn]} came; expected one or more configurations, each "
            "with a look and the score of one or more seeds"
        )
    figure = canvas(size()[0], 0.75 + ROW * len(drawn))
    axes = figure.add_subplot()
    quiet(axes, x, "", grid="x")
    texts, fonts = legible([bar.label for bar in drawn])
    rows = np.arange(len(drawn))
    means = [float(np.mean(bar.seeds)) for bar in drawn]
    axes.barh(rows, means, height=0.62, color=[looks[bar.label].color for bar in drawn], alpha=0.75)
    for row, bar in zip(rows, drawn, strict=True):
        _spread(axes, float(row), bar, digits)
    axes.set_yticks(rows, texts, **style(fonts, FONT))
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    furthest = max(max([*bar.seeds, *(bar.interval or ())]) for bar in drawn)
    axes.set_xlim(0, max(furthest, 1e-9) * 1.18)
    return settle(figure)


def _spread(axes: "Axes", row: float, bar: Bar, digits: int) -> None:
    low, high = bar.interval or (min(bar.seeds), max(bar.seeds))
    if high > low:
        axes.plot([low, high], [row, row], color=INK, linewidth=1.2, solid_capstyle="butt")
        for end in (low, high):
            axes.plot([end, end], [row - 0.14, row + 0.14], color=INK, linewidth=1.2)
    if len(bar.seeds) > 1:  # side by side, so that equal scores are still counted
        across = row + np.linspace(-0.18, 0.18, len(bar.seeds))
        axes.plot(bar.seeds, across, "o", color=PAPER, markeredgecolor=INK, markeredgewidth=0.8, markersize=3.6)
    mean = float(np.mean(bar.seeds))
    axes.annotate(
        f"{mean:.{digits}f}", (max([*bar.seeds, high]), row), xytext=(5, 0), textcoords="offset points", va="center",
        **style([DEFAULT], SMALL),
    )  # fmt: skip
