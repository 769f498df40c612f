"""Formulas of the site, drawn when it is built: its pages load no script from anywhere, and read without a network.

Matplotlib's mathtext draws them, as outlines in the colour of the text around; what a formula says in LaTeX stands
beside it for readers who hear it.
"""

import re
from functools import cache
from html import escape
from typing import Any

from docutils import nodes
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from sphinx.util import logging

SIZE = 100  # points that an em of the drawing is made of
LARGER = {"inline": 1.0, "display": 1.12}  # em
# What mathtext has another name for, and where it leaves too little room behind.
BOUNDS = r"((?:[_^](?:\{[^{}]*\}|\w))*)"
SPELT = {
    r"\s*\n\s*": " ",
    r"\\operatorname\*(\{[^{}]*\})" + BOUNDS: r"\\mathrm\1\2\\,",
    r"(\\sum)" + BOUNDS: r"\1\2\\;",
    r"\\le\b": r"\\leq",
    r"\\ge\b": r"\\geq",
    r"\\[lr]Vert\b": r"\\Vert",
    r"\\[lr]vert\b": r"\\vert",
}
DISPLAYED = {r"\\frac\b": r"\\dfrac"}
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}


@cache
def drawn(latex: str, kind: str) -> str:
    """SVG of a formula.

    Args:
        latex: without the signs around it.
        kind: ``inline`` or ``display``.

    Raises:
        ValueError: mathtext does not know something in it.
    """
    text = latex.strip()
    for known, other in (SPELT | (DISPLAYED if kind == "display" else {})).items():
        text = re.sub(known, other, text)
    font = FontProperties(size=SIZE, math_fontfamily="stix")
    width, height, depth, *_ = MathTextParser("path").parse(f"${text}$", dpi=72, prop=font)
    path = TextPath((0, 0), f"${text}$", prop=font)
    line = " ".join(
        LETTERS[code] + ("" if code == Path.CLOSEPOLY else ",".join(f"{value:.1f}" for value in points))
        for points, code in path.iter_segments(curves=True, simplify=False)
    )
    em = LARGER[kind] / SIZE
    return (
        f'<svg role="img" aria-label="{escape(latex.strip())}" viewBox="0 {depth - height:g} {width:g} {height:g}" '
        f'style="width: {width * em:.3f}em; height: {height * em:.3f}em; vertical-align: {-depth * em:.3f}em">'
        f'<path transform="scale(1 -1)" d="{line}"/></svg>'
    )


def said(translator: Any, node: nodes.Element, kind: str) -> None:
    """Put a formula on its page; one that cannot be drawn is a warning, which ends ``poe docs``."""
    try:
        body = drawn(node.astext(), kind)
    except ValueError as error:
        why = str(error).strip().splitlines()[-1]
        logging.getLogger(__name__).warning(
            "mathtext cannot draw %r (%s): write it otherwise, or say in docs/formulas.py what it knows instead",
            node.astext(), why, location=node,
        )  # fmt: skip
        body = escape(node.astext())
    tag = "span" if kind == "inline" else "div"
    translator.body.append(f'<{tag} class="formula {kind}">{body}</{tag}>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer(
        "drawn",
        (lambda translator, node: said(translator, node, "inline"), None),
        (lambda translator, node: said(translator, node, "display"), None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
