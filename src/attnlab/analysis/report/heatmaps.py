"""Attention as an SVG that answers the pointer: where its cells and labels stand, and what they say."""

from collections.abc import Sequence
from math import cos, radians, sin
from typing import NamedTuple
from unicodedata import combining, east_asian_width

import numpy as np

from attnlab.analysis.report.tables import opening
from attnlab.analysis.runs import AttentionMap
from attnlab.runs.words import Words
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, ORANGES, ORANGES_ON_DARK, steps
from attnlab.viz.palette import LEVELS as LEVELS

CELLS = ((8, 30), (16, 24), (28, 18))  #: words up to which a cell is so many pixels wide
SMALLEST = 15  #: two lines of a 12-pixel font, slanted, fit
SLANT = 55.0  #: degrees
NARROW, WIDE, LINE, GAP = 6.8, 12.5, 14.0, 5.0  #: pixels of a 12-pixel font: widths of characters, height of a line
LONGEST = 16  #: characters of a label; a longer one loses its middle


class Label(NamedTuple):
    x: float
    y: float
    text: str
    word: str  #: all of it


class Heatmap(NamedTuple):
    """Everything that the template draws, in pixels."""

    width: float
    height: float
    left: float
    top: float
    cell: int
    columns: int
    rows: int
    shades: tuple[tuple[int, str], ...]  #: level and the path of all cells that have it
    source: tuple[Label, ...]
    target: tuple[Label, ...]
    weights: str  #: in thousandths, row by row
    description: str
    caption: str = ""  #: who looks, where both sides do
    back: "Heatmap | None" = None  #: of two sides that look at each other, the other way

    @property
    def grid(self) -> str:
        """The path of the lines between cells."""
        across, down = self.columns * self.cell, self.rows * self.cell
        lines = [f"M{self.left:g} {self.top + t * self.cell:g}h{across}" for t in range(1, self.rows)]
        return "".join(lines + [f"M{self.left + s * self.cell:g} {self.top:g}v{down}" for s in range(1, self.columns)])


def lay_out(shown: AttentionMap, words: Words) -> Heatmap:
    """Place source tokens across the top, target tokens down the left and a square for every weight."""
    if shown.back is not None:
        other = Words(*words[:4], words.row, words.rows, words.column, words.columns)
        ways = [(shown._replace(back=None), words),
                (AttentionMap(shown.number, shown.back, shown.target_tokens, shown.source_tokens), other)]  # fmt: skip
        there, back = (lay_out(way, said)._replace(caption=f"{said.rows} look") for way, said in ways)
        return there._replace(back=back)
    rows, columns = shown.weights.shape
    cell = next((size for words, size in CELLS if max(rows, columns) <= words), SMALLEST)
    source, target = [_short(word) for word in shown.source_tokens], [_short(word) for word in shown.target_tokens]
    left = max(map(_extent, target)) + 2 * GAP
    top = max(map(_extent, source)) * sin(radians(SLANT)) + LINE + GAP
    ends = [(s + 0.5) * cell + _extent(word) * cos(radians(SLANT)) + LINE for s, word in enumerate(source)]
    return Heatmap(
        width=left + max(columns * cell + 2, *ends),
        height=top + rows * cell + 2,
        left=left,
        top=top,
        cell=cell,
        columns=columns,
        rows=rows,
        shades=_shades(shown.weights, left, top, cell),
        source=tuple(
            Label(left + (s + 0.5) * cell + 4, top - GAP, text, shown.source_tokens[s]) for s, text in enumerate(source)
        ),
        target=tuple(
            Label(left - GAP, top + (t + 0.5) * cell + 4, text, shown.target_tokens[t]) for t, text in enumerate(target)
        ),
        weights=" ".join(str(round(1000 * float(weight))) for weight in shown.weights.flat),
        description=describe(shown, words),
    )


def coarse(shown: AttentionMap, columns: int = 42, rows: int = 24) -> AttentionMap:
    """Hundreds of lags as a page has room for them: neighbours together, their weights summed, over steps the mean."""
    steps, lags = shown.weights.shape
    across, down = -(-lags // columns), -(-steps // rows)
    edges = list(
        range(lags - across * (-(-lags // across) - 1), lags, across)
    )  # the most recent ones are a whole group
    parts = np.add.reduceat(shown.weights, [0, *edges], axis=1) if across > 1 else shown.weights
    starts = list(range(0, steps, down))
    counts = np.diff([*starts, steps])[:, None]
    weights = np.add.reduceat(parts, starts, axis=0) / counts
    firsts = [0, *edges] if across > 1 else list(range(lags))
    names = [_range(shown.source_tokens, a, b) for a, b in zip(firsts, [*firsts[1:], lags], strict=True)]
    labels = [_range(shown.target_tokens, a, b) for a, b in zip(starts, [*starts[1:], steps], strict=True)]
    return AttentionMap(shown.number, weights, names, labels)


def _range(names: Sequence[str], first: int, end: int) -> str:
    return names[first] if end - first == 1 else f"{names[first]}–{names[end - 1]}"


def describe(shown: AttentionMap, words: Words) -> str:
    """Say in words what the picture shows: where each target word looks most."""
    found = []
    for word, row in zip(shown.target_tokens, shown.weights, strict=True):
        most = int(row.argmax())
        found.append(f"{word}: {shown.source_tokens[most]} {float(row[most]):.2f}")
    return f"{opening(words.row)}: the {words.column} with the most weight. " + "; ".join(found)


def shade_rules() -> str:
    """CSS of the shades, on a light page and, on screen, on a dark one; those of weights below 0 have a minus."""
    both = (BLUES, ORANGES), (BLUES_ON_DARK, ORANGES_ON_DARK)
    light, dark = (f"{_rules(above)}\n{_rules(below, '-')}" for above, below in both)
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _rules(colors: Sequence[str], sign: str = "") -> str:
    return "\n".join(f".h{sign}{level} {{ fill: {color}; }}" for level, color in enumerate(steps(colors), 1))


def _shades(weights: np.ndarray, left: float, top: float, cell: int) -> tuple[tuple[int, str], ...]:
    levels = np.rint(weights / max(1.0, float(np.abs(weights).max())) * LEVELS).astype(int)
    return tuple(
        (
            level,
            "".join(
                f"M{left + s * cell:g} {top + t * cell:g}h{cell}v{cell}h-{cell}z"
                for t, s in np.argwhere(levels == level).tolist()
            ),
        )
        for level in np.unique(levels[levels != 0]).tolist()
    )


def _short(word: str) -> str:
    head = LONGEST * 2 // 3
    return word if len(word) <= LONGEST else f"{word[:head]}…{word[head + 1 - LONGEST :]}"


def _extent(text: str) -> float:
    """Estimate the width of a text; the browser has the font, and room is left."""
    return sum(WIDE if east_asian_width(c) in "WF" else 0.0 if combining(c) else NARROW for c in text)
