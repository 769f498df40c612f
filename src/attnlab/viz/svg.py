"""Figures as SVG inside an HTML page: the page's fonts and colours, a title and a description for all readers."""

import io
import re
from html import escape
from typing import TYPE_CHECKING

from attnlab.viz.chart import RULE
from attnlab.viz.page import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What turns with the page from light to dark; the other colours are made to be seen on both.
THEMED = {INK: "var(--ink)", RULE: "var(--rule)", "#ffffff": "var(--paper)"}


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
    body = re.sub(r"<metadata>.*?</metadata>", "", text[text.index(">", text.index("<svg")) + 1 :], flags=re.DOTALL)
    body = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), body)  # a third of the bytes
    for color, variable in THEMED.items():
        body = re.sub(f'{color}(?=[;"])', variable, body, flags=re.IGNORECASE)
    width, height = (72 * float(side) for side in figure.get_size_inches())
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-title {name}-description" '
        f'viewBox="0 0 {width:g} {height:g}" style="--width: {width:g}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>{body}'
    )
