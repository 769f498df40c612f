"""Figures as SVG inside an HTML page: the page's fonts and colours, a title and a description for all readers."""

import io
import re
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from attnlab.viz.chart import PAPER, RULE
from attnlab.viz.page import INK
from attnlab.viz.palette import Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What turns with the page from light to dark; the other colours are made to be seen on both.
THEMED = {INK: "var(--ink)", RULE: "var(--rule)", PAPER: "var(--paper)"}


def inline(figure: "Figure", name: str, title: str, description: str) -> str:
    """Write a figure as an ``<svg>`` element that stands in an HTML page with others.

    Texts stay texts: they can be searched, copied, read aloud, and are drawn in the page's font. The page must
    define the CSS variables ``--ink``, ``--rule`` and ``--paper``.

    Args:
        figure: is drawn with a transparent ground.
        name: an identifier of its own within the page; every id of the figure begins with it.
        title: of the figure, in a few words.
        description: what can be seen, for who cannot see it.
    """
    from matplotlib import rc_context

    stream = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "attnlab"}):
        figure.savefig(
            stream, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    text = stream.getvalue()
    body = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>",
        "",
        text[text.index(">", text.index("<svg")) + 1 :],
        flags=re.DOTALL,
    )
    body = re.sub(r"<[^>]*>", lambda tag: _adapt(tag[0], name), body)  # matplotlib writes a text's own > as &gt;
    width, height = (72 * float(side) for side in figure.get_size_inches())
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-title {name}-description" '
        f'viewBox="0 0 {width:g} {height:g}" style="--width: {width:g}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>{body}'
    )


def _adapt(tag: str, name: str) -> str:
    tag = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", tag)
    tag = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), tag)  # a third of the bytes
    for color, variable in THEMED.items():
        tag = re.sub(f'{color}(?=[;"])', variable, tag, flags=re.IGNORECASE)
    return tag


def swatch(look: Look) -> str:
    """A piece of a configuration's line with its marker, as an ``<svg>`` for tables and legends in the page."""
    from matplotlib.markers import MarkerStyle

    marker = MarkerStyle(look.marker)
    outlines = [np.asarray(part) for part in marker.get_path().transformed(marker.get_transform()).to_polygons()]
    path = "".join("M" + "L".join(f"{15 + 8 * x:.1f} {6 - 8 * y:.1f}" for x, y in part) + "Z" for part in outlines)
    color = THEMED.get(look.color, look.color)
    dashes = " ".join(f"{2 * part:g}" for part in look.dashes) or "none"
    return (
        f'<svg class="swatch" viewBox="0 0 30 12" aria-hidden="true">'
        f'<path d="M0 6H30" style="stroke: {color}; stroke-width: 2; stroke-dasharray: {dashes}"/>'
        f'<path d="{path}" style="fill: {color}"/></svg>'
    )
