"""A forecast beside what came, with the end of the past before it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from attnlab.viz.chart import HEIGHT, SMALL, canvas, quiet, settle
from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.page import INK, TITLE_FONT, style
from attnlab.viz.palette import HUES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, TALL = 7.0, 2.4  # inches: the figure, and one target of it
PAST = 3  #: as much of the past is shown as so many horizons, at most
GREY = "#888888"  #: of the series beside forecasts in colours that are theirs, of which dark is one
BAND = 0.22  #: opacity of the outermost quantiles


def forecast(
    past: Float[np.ndarray, "L K"],
    truth: Float[np.ndarray, "H K"] | None,
    told: Mapping[str, Float[np.ndarray, "H K"]],
    quantiles: Mapping[float, Float[np.ndarray, "H K"]],
    names: Sequence[str],
    origin: int,
    title: str = "",
    colors: Mapping[str, str] | None = None,
) -> "Figure":
    """Draw a window: a panel a target.

    Args:
        past: of the targets.
        truth: what came; None where nobody knows it yet.
        told: what was forecast, by who did.
        quantiles: the band between the outermost of them is shaded.
        names: of the targets.
        origin: the number of the first point that is forecast.
        title: stands above.
        colors: of each label of ``told``; None takes the usual hues in order.
    """
    from matplotlib.ticker import MaxNLocator

    figure = canvas(WIDE, max(TALL * len(names), HEIGHT))
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for place, (axes, name) in enumerate(zip(panels, names, strict=True)):
        _panel(
            axes, past[:, place], None if truth is None else truth[:, place], origin, INK if colors is None else GREY
        )
        ahead = origin + np.arange(len(next(iter(told.values()))))
        if len(quantiles) > 1:
            low, high = (values[:, place] for values in (quantiles[min(quantiles)], quantiles[max(quantiles)]))
            axes.fill_between(
                ahead, low, high, color=HUES[0], alpha=BAND, linewidth=0, label=f"{min(quantiles)} to {max(quantiles)}"
            )
        for number, (label, values) in enumerate(told.items()):
            color = HUES[number % len(HUES)] if colors is None else colors[label]
            axes.plot(ahead, values[:, place], color=color, linewidth=1.4, label=label)
        quiet(axes, "", name, size=SMALL)
    panels[-1].xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    panels[-1].set_xlabel("point of the series", **style([DEFAULT], SMALL))
    if title:
        texts, fonts = legible([title])
        figure.suptitle(texts[0], **style(fonts, TITLE_FONT))
    box = figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    for text in box.get_texts():
        text.set(**style([DEFAULT], SMALL))
    return settle(figure)


def _panel(
    axes: "Axes", past: Float[np.ndarray, " L"], truth: Float[np.ndarray, " H"] | None, origin: int, color: str
) -> None:
    """The end of the past and what came, as one line; where the forecast begins is marked."""
    shown = past[-PAST * len(truth) :] if truth is not None else past[-200:]
    series = shown if truth is None else np.concatenate([shown, truth])
    axes.plot(origin - len(shown) + np.arange(len(series)), series, color=color, linewidth=1.0, label="series")
    axes.axvline(origin - 0.5, color=INK, linewidth=0.7, linestyle=(0, (2, 2)))
