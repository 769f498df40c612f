"""Several maps in one picture, side by side and line below line: mechanisms on one sentence, two ways between two.

All have one scale, so that shades can be compared. Where a map has the rows of its neighbour, they are named once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.heatmap import Link, add_cells, add_links, add_scale, require_weights
from attnlab.viz.page import (
    BAR,
    BAR_LABELS,
    CELL,
    GAP,
    LINE,
    NOTE,
    NOTE_FONT,
    PAD,
    TALLEST_BAR,
    TITLE_FONT,
    Labels,
    Page,
    blank,
    cell_size,
    extents,
    labels,
    lay_out,
    style,
    wrap_title,
)  # fmt: skip
from attnlab.viz.palette import Shades, shades
from attnlab.viz.widths import inches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADING = 9.0  # points
BETWEEN = 0.2  # inches
CELLS = (CELL, 0.34, 0.27, 0.22)  # inches of a cell: the first with which all maps are one line, or the last
WIDEST = 14.0  # inches of a line, where no width is given
SHRUNK = 0.65  # to what share of their size letters are scaled at most, where maps would else be a line each
BAR_ROOM = 2 * GAP + BAR + BAR_LABELS  # of the scale, behind the last map of the first line


class Panel(NamedTuple):
    """A map."""

    heading: str
    weights: Float[Tensor, "T S"] | Float[np.ndarray, "T S"]
    columns: Sequence[str]
    rows: Sequence[str]
    gold: tuple[Iterable[Link], Iterable[Link]] | None = None  #: sure and possible links (column, row)


class Placed(NamedTuple):
    """A map that has been measured."""

    panel: Panel
    table: Float[np.ndarray, "T S"]
    across: Labels
    down: Labels
    page: Page  #: of this heatmap alone; the place of its cells on it is kept


def side_by_side(panels: Sequence[Panel], title: str = "", width: str | None = None) -> "Figure":
    """Draw maps.

    Args:
        panels: in their order.
        title: stands above, broken into lines.
        width: that the figure will be scaled to (:func:`attnlab.viz.heatmap.save` does that), ``8.4cm``: a line has
            as many maps as leave letters that can be read.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: weights do not fit the words or are no numbers, or a gold link lies outside.
        ConfigError: a width that is none.
    """
    lines = arranged(panels, WIDEST) if width is None else arranged(panels, inches(width) / SHRUNK, CELLS[-1:])
    scale = shades(*(one.table for line in lines for one in line))
    wide = max(map(length, lines))
    noted = any(panel.gold is not None for panel in panels)
    text, fonts = wrap_title(title, wide - 2 * PAD)
    head = extents([text], fonts, TITLE_FONT)[0][1] + 2 * GAP if text else 0.0
    foot = NOTE_FONT * LINE + GAP if noted else 0.0
    heights = [max(one.page.height + heading(one) for one in line) + BETWEEN / 2 for line in lines]
    wide = max(wide, extents([NOTE], [DEFAULT], NOTE_FONT)[0][0] + 2 * PAD) if noted else wide
    high = head + sum(heights) + foot + PAD
    figure, top = blank(wide, high), high - head - PAD / 2
    for number, (line, tall) in enumerate(zip(lines, heights, strict=True)):
        left = 0.0
        for one in line:
            add_panel(figure, one, left, top, scale, last=number == 0 and one is line[-1])
            left += one.page.width + BETWEEN
        top -= tall
    if text:
        figure.text(PAD / wide, 1 - PAD / high, text, va="top", **style(fonts, TITLE_FONT))
    if noted:
        figure.text(PAD / wide, PAD / high, NOTE, va="bottom", **style([DEFAULT], NOTE_FONT))
    return figure


def arranged(panels: Sequence[Panel], most: float, cells: Sequence[float] = CELLS) -> list[list[Placed]]:
    """In lines of at most so many inches, as even as they can be."""
    for cell in cells:
        line = list(named_once([place(panel, cell) for panel in panels]))
        if length(line) <= most:
            return [line]
    alone = [place(panel, cells[-1]) for panel in panels]
    for count in range(2, len(alone) + 1):
        many = -(-len(alone) // count)
        lines = [list(named_once(alone[start : start + many])) for start in range(0, len(alone), many)]
        if max(map(length, lines)) <= most:
            return lines
    return [[one] for one in alone]


def length(line: Sequence[Placed]) -> float:
    """Inches of a line, with the scale."""
    return sum(one.page.width for one in line) + BETWEEN * (len(line) - 1) + BAR_ROOM


def named_once(line: Sequence[Placed]) -> Iterator[Placed]:
    """Rows stand at a map where the one before it has others."""
    for number, one in enumerate(line):
        if number and list(one.panel.rows) == list(line[number - 1].panel.rows):
            page = one.page._replace(left=GAP, width=one.page.width - one.page.left + GAP)
            nameless = one.down._replace(texts=[""] * len(one.down.texts))
            yield one._replace(down=nameless, page=widened(page, one.panel.heading))
        else:
            yield one


def place(panel: Panel, most: float) -> Placed:
    """Measure a map whose cells have so many inches at most; wide enough for what stands above it."""
    table = torch.as_tensor(panel.weights).detach().to("cpu", torch.float64).numpy()
    require_weights(table, len(panel.rows), len(panel.columns))
    cell = min(cell_size(*table.shape), most)
    above, beside = labels(panel.columns, cell), labels(panel.rows, cell)
    page = lay_out(above, beside, cell, "", note=False, bar=False, square=most < CELL)
    return Placed(panel, table, above, beside, widened(page, panel.heading))


def widened(page: Page, heading: str) -> Page:
    texts, fonts = legible([heading])
    wanted = 2 * PAD + extents(texts, fonts, HEADING)[0][0] if heading else 0.0
    return page._replace(width=max(page.width, wanted))


def heading(one: Placed) -> float:
    """Inches that stand above a map."""
    return HEADING * LINE - PAD / 2 if one.panel.heading else 0.0


def add_panel(figure: "Figure", one: Placed, left: float, top: float, scale: Shades, last: bool) -> None:
    """Draw a map, its upper left corner so many inches from the left and from below; the last one with the scale."""
    width, height = figure.get_size_inches()
    page, below = one.page, top - heading(one) - one.page.height

    def box(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
        return (left + x) / width, (below + y) / height, wide / width, high / height

    axes = figure.add_axes(box(page.left, page.bottom, page.columns, page.rows))
    image = add_cells(axes, one.table, one.across, one.down, page.slant, scale)
    if one.panel.gold is not None:
        add_links(axes, *one.panel.gold, shape=one.table.shape)
    if last:
        tall = min(page.rows, TALLEST_BAR)
        place = box(page.left + page.columns + 2 * GAP, page.bottom + page.rows - tall, BAR, tall)
        add_scale(figure, image, figure.add_axes(place), tall, scale)
    at = box(page.left if one.down.texts[0] == "" else PAD, page.height - PAD / 2, 0, 0)
    names, fonts = legible([one.panel.heading])
    figure.text(at[0], at[1], names[0], va="bottom", **style(fonts, HEADING))
