r"""Attention as TikZ: cells, words and links as LaTeX has them, in the fonts of the paper that it stands in.

The text is a ``tikzpicture``; ``\usepackage{tikz}`` is all that it needs. Shades are those of ``viz/heatmap.py``.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from attnlab.viz.heatmap import GOLD, Link, require_weights
from attnlab.viz.palette import LEVELS, colors
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
        weights: a row for each that looks, a column for each that is looked at, from 0 to 1.
        columns: names of what is looked at, above.
        rows: names of what looks, at the left.
        gold: sure and possible links (column, row); framed, those that are only possible dashed.
        width: of all cells together, with its unit (names stand outside, in letters of the paper's own size).

    Raises:
        DataError: the weights do not fit the names, or are not from 0 to 1.
        ConfigError: a width that is none.
    """
    from matplotlib.colors import to_hex

    table = np.asarray(weights, np.float64)
    require_weights(table, len(rows), len(columns))
    cell = CELL if width is None else inches(width) * 2.54 / len(columns)
    shades = [to_hex(colors()(level / LEVELS)) for level in range(LEVELS + 1)]
    lines = [rf"\begin{{tikzpicture}}[x={cell:.4f}cm, y=-{cell:.4f}cm, line width=0.3pt]"]
    lines += [rf"\definecolor{{attention{n}}}{{HTML}}{{{shade[1:].upper()}}}" for n, shade in enumerate(shades)]
    lines.append(rf"\definecolor{{gold}}{{HTML}}{{{GOLD[1:].upper()}}}")
    for (row, column), weight in np.ndenumerate(table):
        level = min(round(weight * LEVELS), LEVELS)
        if shades[level] != "#ffffff":
            lines.append(rf"\fill[attention{level}] ({column},{row}) rectangle ++(1,1);")
    lines.append(rf"\draw[gray!40, step=1] (0,0) grid ({len(columns)},{len(rows)});")
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
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def escaped(text: str) -> str:
    """What LaTeX takes for commands, spelt."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)
