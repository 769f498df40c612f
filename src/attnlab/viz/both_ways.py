"""Two sentences that look at each other, in one picture: a heatmap each way, the words of who looks down each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.viz.fonts import legible
from attnlab.viz.heatmap import add_cells, add_scale, require_weights
from attnlab.viz.page import (
    BAR,
    GAP,
    LINE,
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
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Weights = Float[Tensor, "T S"] | Float[np.ndarray, "T S"]
HEADING = 9.0  # points
BETWEEN = 0.35  # inches


class Panel(NamedTuple):
    """One way."""

    heading: str
    table: Float[np.ndarray, "T S"]
    across: Labels
    down: Labels
    page: Page  #: of this heatmap alone; the place of its cells on it is kept


def both_ways(
    weights: Weights,
    back: Float[Tensor, "S T"] | Float[np.ndarray, "S T"],
    columns: Sequence[str],
    rows: Sequence[str],
    sides: tuple[str, str] = ("columns", "rows"),
    title: str | None = None,
) -> "Figure":
    """Draw what the rows look at among the columns, and beside it what the columns look at among the rows.

    Args:
        weights: from 0 to 1, a row a word of ``rows``, a column a word of ``columns``.
        back: likewise, the other way round.
        columns: words of one sentence.
        rows: words of the other.
        sides: what the sentence of the columns is called, and that of the rows.
        title: stands above, broken into lines.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: weights do not fit the words or are not from 0 to 1.
    """
    first, second = (
        panel(f"each word of the {who} looks at the {whom}", table, across, down)
        for who, whom, table, across, down in (
            (sides[1], sides[0], weights, columns, rows),
            (sides[0], sides[1], back, rows, columns),
        )
    )
    width = first.page.width + second.page.width + BETWEEN
    lines, fonts = wrap_title(title or "", width - 2 * PAD)
    head = extents([lines], fonts, TITLE_FONT)[0][1] + 2 * GAP if lines else 0.0
    height = head + HEADING * LINE + max(first.page.height, second.page.height) + PAD
    figure = blank(width, height)
    left = 0.0
    for shown in (first, second):
        below = height - head - HEADING * LINE - PAD - shown.page.height  # so that both begin at the top
        add_panel(figure, shown, left, below, width, height)
        left += shown.page.width + BETWEEN
    if lines:
        figure.text(PAD / width, 1 - PAD / height, lines, va="top", **style(fonts, TITLE_FONT))
    return figure


def panel(heading: str, weights: Weights, across: Sequence[str], down: Sequence[str]) -> Panel:
    """Measure one way; wide enough for what stands above it."""
    table = torch.as_tensor(weights).detach().to("cpu", torch.float64).numpy()
    require_weights(table, len(down), len(across))
    cell = cell_size(*table.shape)
    above, beside = labels(across, cell), labels(down, cell)
    page = lay_out(above, beside, cell, "", note=False)
    wanted = 2 * PAD + extents([heading], legible([heading])[1], HEADING)[0][0]
    return Panel(heading, table, above, beside, page._replace(width=max(page.width, wanted)))


def add_panel(figure: "Figure", shown: Panel, left: float, below: float, width: float, height: float) -> None:
    """Draw one way into its part of the figure; lengths in inches."""

    def box(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
        return (left + x) / width, (below + y) / height, wide / width, high / height

    page = shown.page
    axes = figure.add_axes(box(page.left, page.bottom, page.columns, page.rows))
    image = add_cells(axes, shown.table, shown.across, shown.down, page.slant)
    tall = min(page.rows, TALLEST_BAR)
    scale = figure.add_axes(box(page.left + page.columns + 2 * GAP, page.bottom + page.rows - tall, BAR, tall))
    add_scale(figure, image, scale, tall)
    at = box(PAD, page.height, 0, 0)
    figure.text(at[0], at[1], shown.heading, va="bottom", **style(legible([shown.heading])[1], HEADING))
