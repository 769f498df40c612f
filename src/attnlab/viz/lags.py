"""Attention over the past of a series: lags across, steps of the forecast down; darkest is the largest weight of all.

Hundreds of lags share their weight out, so that a scale up to 1 would show nothing. Above the map stands what each lag
has on average, as bars: single cells of hundreds are thinner than a line.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.viz.chart import SMALL, quiet, settle
from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.heatmap import FRAME, require_weights
from attnlab.viz.page import DPI, TITLE_FONT, style, wrap_title
from attnlab.viz.palette import HUES, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ABOVE, AROUND = 8.0, 1.0, 1.1  # inches: the figure, the bars, titles and the names of the axes
STEP, LEAST, MOST = 0.11, 0.8, 5.0  # inches: a row, and what all rows together have
TICKS = 14  #: lags that are named, at most


def over_lags(
    weights: Float[np.ndarray, "T S"], lags: Sequence[str], steps: Sequence[str], title: str = ""
) -> "Figure":
    """Draw weights over lags.

    Args:
        weights: a row a step, a column a lag.
        lags: how many points each lies before the forecast, the oldest first.
        steps: names of the rows.
        title: stands above, broken into lines.

    Raises:
        DataError: the weights do not fit lags and steps, or are no numbers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = np.asarray(weights, dtype=np.float64)
    require_weights(table, len(steps), len(lags))
    rows = min(max(STEP * len(steps), LEAST), MOST)
    figure = Figure((WIDTH, rows + ABOVE + AROUND), DPI, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[ABOVE, rows])
    above.bar(range(len(lags)), table.mean(0), width=1.0, color=HUES[0], linewidth=0)
    quiet(above, "", "mean weight", size=SMALL)
    scale = shades(table, stretched=True)
    image = below.imshow(table, aspect="auto", interpolation="nearest", **scale.drawn)
    _name(below, lags, steps)
    bar = figure.colorbar(image, ax=below, fraction=0.03, pad=0.01, ticks=scale.ticks[0][::2])
    bar.ax.set_yticklabels(scale.ticks[1][::2], **style([DEFAULT], SMALL))
    if title:
        lines, fonts = wrap_title(title, WIDTH - 1)
        figure.suptitle(lines, **style(fonts, TITLE_FONT))
    return settle(figure)


def of_several(
    tables: Sequence[tuple[str, Float[np.ndarray, "T S"]]], lags: Sequence[str], steps: Sequence[str]
) -> "Figure":
    """Draw weights of several runs over lags, one map below another, as dark as the largest weight of all.

    Raises:
        DataError: the weights do not fit lags and steps, or are no numbers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for _, table in tables:
        require_weights(table, len(steps), len(lags))
    rows = min(max(STEP * len(steps), LEAST), MOST)
    figure = Figure((WIDTH, len(tables) * (rows + AROUND)), DPI, layout="constrained")
    FigureCanvasAgg(figure)
    scale = shades(*(table for _, table in tables), stretched=True)
    grid = figure.subplots(len(tables), 1, squeeze=False)[:, 0]
    for axes, (name, table) in zip(grid, tables, strict=True):
        image = axes.imshow(table, aspect="auto", interpolation="nearest", **scale.drawn)
        _name(axes, lags, steps)
        (text,), fonts = legible([name])
        axes.set_title(text, loc="left", **style(fonts, SMALL))
    bar = figure.colorbar(image, ax=list(grid), fraction=0.03, pad=0.01, ticks=scale.ticks[0][::2])
    bar.ax.set_yticklabels(scale.ticks[1][::2], **style([DEFAULT], SMALL))
    return settle(figure)


def _name(axes: "Axes", lags: Sequence[str], steps: Sequence[str]) -> None:
    """Name some lags, at round places, and some steps."""
    axes.set_xticks(places := ticks(lags), [lags[place] for place in places], **style([DEFAULT], SMALL))
    down = list(range(0, len(steps), max(1, -(-len(steps) // 12))))
    texts, fonts = legible([steps[place] for place in down])
    axes.set_yticks(down, texts, **style(fonts, SMALL))
    axes.set_xlabel("lag: points before the forecast", **style([DEFAULT], SMALL))
    axes.set_ylabel("step of the forecast", **style([DEFAULT], SMALL))
    axes.tick_params(length=2, color=FRAME)
    axes.spines[:].set(color=FRAME, linewidth=0.6)


def ticks(lags: Sequence[str]) -> list[int]:
    """Which lags are named: evenly spread, counted from the most recent one, which is named."""
    apart = -(-len(lags) // TICKS)
    return list(range(len(lags) - 1, -1, -apart))[::-1]
