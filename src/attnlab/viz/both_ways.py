"""Two sentences that look at each other, in one picture: a heatmap each way, the words of who looks down each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from torch import Tensor

from attnlab.viz.panels import Panel, side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Weights = Float[Tensor, "T S"] | Float[np.ndarray, "T S"]


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
        weights: a row a word of ``rows``, a column a word of ``columns``.
        back: likewise, the other way round.
        columns: words of one sentence.
        rows: words of the other.
        sides: what the sentence of the columns is called, and that of the rows.
        title: stands above, broken into lines.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: weights do not fit the words or are no numbers.
    """
    there = Panel(f"each word of the {sides[1]} looks at the {sides[0]}", weights, columns, rows)
    return side_by_side(
        [there, Panel(f"each word of the {sides[0]} looks at the {sides[1]}", back, rows, columns)], title or ""
    )
