r"""Attention as TikZ: cells, words and links as LaTeX has them, in the fonts of the paper that it stands in.

The text is a ``tikzpicture``; ``\usepackage{tikz}`` is all that it needs. Shades are those of ``viz/heatmap.py``.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int

from attnlab.viz.heatmap import GOLD, Link, require_weights
from attnlab.viz.palette import LEVELS, shades
from attnlab.viz.panels import Panel
from attnlab.viz.widths import inches

CELL = 0.45  # centimetres, where no width is given
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def tikz(
    weights: Float[np.ndarray, "T S"],
    columns: Sequence[str],
    rows: Sequence[str],
    gold: tuple[Iterable[Link], Iterable[Link]] | None = None,
    width: str | None = None,
) -> str:
    """A heatmap.

    Args:
        weights: a row for each that looks, a column for each that is looked at.
        columns: names of what is looked at, above.
        rows: names of what looks, at the left.
        gold: sure and possible links (column, row); framed, those that are only possible dashed.
        width: of all cells together, with its unit (names stand outside, in letters of the paper's own size).

    Raises:
        DataError: the weights do not fit the names, or are no numbers.
        ConfigError: a width that is none.
    """
    return tikz_of([Panel("", weights, columns, rows, gold)], width)


def tikz_of(panels: Sequence[Panel], width: str | None = None) -> str:
    """Several, a ``tikzpicture`` each: the paper says which of them stand beside one another.

    Args:
        panels: in their order.
        width: of the cells of all together.

    Raises:
        DataError, ConfigError: as :func:`tikz`.
    """
    from matplotlib.colors import to_hex

    tables = [np.asarray(panel.weights, np.float64) for panel in panels]
    for panel, table in zip(panels, tables, strict=True):
        require_weights(table, len(panel.rows), len(panel.columns))
    cell = CELL if width is None else inches(width) * 2.54 / sum(len(panel.columns) for panel in panels)
    scale = shades(*tables)
    colors = [to_hex(scale.map(level / LEVELS)) for level in range(LEVELS + 1)]
    lines = [rf"\definecolor{{attention{n}}}{{HTML}}{{{color[1:].upper()}}}%" for n, color in enumerate(colors)]
    lines.append(rf"\definecolor{{gold}}{{HTML}}{{{GOLD[1:].upper()}}}%")
    for panel, table in zip(panels, tables, strict=True):
        levels = np.rint((table - scale.low) / (scale.high - scale.low) * LEVELS).clip(0, LEVELS).astype(int)
        lines += _cells(panel, levels, [color == "#ffffff" for color in colors], cell)
    return "\n".join([*lines, ""])


def _cells(panel: Panel, levels: Int[np.ndarray, "T S"], white: Sequence[bool], cell: float) -> list[str]:
    columns, rows, gold = panel.columns, panel.rows, panel.gold
    lines = [rf"\begin{{tikzpicture}}[x={cell:.4f}cm, y=-{cell:.4f}cm, line width=0.3pt]"]
    for (row, column), level in np.ndenumerate(levels):
        if not white[level]:
            lines.append(rf"\fill[attention{level}] ({column},{row}) rectangle ++(1,1);")
    lines.append(rf"\draw[gray!40, step=1] (0,0) grid ({len(columns)},{len(rows)});")
    if panel.heading:
        lines.append(rf"\node[anchor=north] at ({len(columns) / 2},{len(rows)}) {{\strut {escaped(panel.heading)}}};")
    lines.append(rf"\draw[gray] (0,0) rectangle ({len(columns)},{len(rows)});")
    for column, name in enumerate(columns):
        lines.append(
            rf"\node[rotate=45, anchor=west, inner sep=1pt] at ({column + 0.5},-0.15) {{\strut {escaped(name)}}};"
        )
    for row, name in enumerate(rows):
        lines.append(rf"\node[anchor=east, inner sep=2pt] at (0,{row + 0.5}) {{\strut {escaped(name)}}};")
    if gold is not None:
        solid = set(gold[0])
        for column, row in sorted(solid | set(gold[1])):
            dashes = "" if (column, row) in solid else ", densely dashed"
            frame = rf"\draw[gold, line width=1pt{dashes}]"
            lines.append(rf"{frame} ({column + 0.08:.2f},{row + 0.08:.2f}) rectangle ++(0.84,0.84);")
    return [*lines, r"\end{tikzpicture}"]


def escaped(text: str) -> str:
    """What LaTeX takes for commands, spelt."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)
