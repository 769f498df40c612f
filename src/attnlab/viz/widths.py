"""Figures as wide as a column of a paper: all of a figure is scaled, its letters and lines too."""

import re
from typing import TYPE_CHECKING

import numpy as np

from attnlab.types import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAD, LENGTH = 3.5, 3.5  #: points: what matplotlib takes where nothing was said
INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27, "bp": 1 / 72}  #: of each unit, as TeX has them


def inches(width: str) -> float:
    r"""``8.4cm``, ``3.3in``, ``84mm``, or ``240pt`` (``\the\columnwidth`` tells that) in inches.

    Raises:
        ConfigError: it is none of these, or not above 0.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", width)
    if found is None or found[2] not in INCHES or not float(found[1]):
        raise ConfigError(f"width={width!r}: expected a number with a unit ({', '.join(INCHES)}), such as 8.4cm")
    return float(found[1]) * INCHES[found[2]]


def fit(figure: "Figure", width: str) -> float:
    """Scale a figure to a width.

    Returns:
        The smallest letters that it has then, in points.

    Raises:
        ConfigError: as :func:`inches`.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    wide, high = figure.get_size_inches()
    scale = inches(width) / wide
    for part in figure.findobj():
        if isinstance(part, Line2D | Patch | LineCollection):
            part.set_linewidth(np.multiply(part.get_linewidth(), scale).tolist())
    for axes in figure.axes:
        for ticks in (axes.xaxis, axes.yaxis):
            told = ticks.get_tick_params()
            ticks.set_tick_params(pad=scale * told.get("pad", PAD), length=scale * told.get("length", LENGTH))
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    for text in texts:
        text.set_fontsize(scale * text.get_fontsize())
    figure.set_size_inches(scale * wide, scale * high)
    return min((float(text.get_fontsize()) for text in texts if text.get_text().strip()), default=0.0)
