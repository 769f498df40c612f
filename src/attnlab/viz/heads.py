"""Every head of every layer at one glance: layers down, heads across, a small heatmap each.

The model view of Vig 2019, "A multiscale visualization of attention in the Transformer model", section 3.2, for the
attention over the source. What a single head looks at is told by its place; ``viz/heatmap.py`` has the large picture.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.heatmap import FRAME, require_weights
from attnlab.viz.page import DPI, style
from attnlab.viz.palette import shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, WIDEST = 1.7, 14.0  # inches: a heatmap, and the width that heatmaps shrink to stay within
NAME, WORD, SMALLEST_WORD = 8.0, 6.5, 4.5  # points
MARGIN = 0.9  # inches, for the words at the left and below


def head_grid(
    weights: Float[Tensor, "L H T S"] | Float[np.ndarray, "L H T S"],
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    title: str = "",
) -> "Figure":
    """Draw the weights of all heads.

    Args:
        weights: layers, heads, target tokens, source tokens.
        source_tokens: named below the lowest heatmaps, where they are legible.
        target_tokens: named left of the leftmost ones.
        title: stands above.

    Raises:
        DataError: the weights do not fit the tokens or are no numbers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layers, heads = weights.shape[:2]
    table = torch.as_tensor(weights).detach().float().cpu().numpy()
    require_weights(table, len(target_tokens), len(source_tokens))
    shown = {**shades(table).drawn, "aspect": "auto", "interpolation": "nearest"}
    panel = min(PANEL, WIDEST / heads)
    figure = Figure((heads * panel + MARGIN, layers * panel + 2 * MARGIN), DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(layers, heads, squeeze=False)
    for layer in range(layers):
        for head in range(heads):
            axes = grid[layer, head]
            axes.imshow(table[layer, head], **shown)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=FRAME, linewidth=0.6)
            if layer == 0:
                axes.set_title(f"head {head + 1}", **style([DEFAULT], NAME))
    for layer in range(layers):
        grid[layer, 0].set_ylabel(f"layer {layer + 1}", **style([DEFAULT], NAME))
        _name(grid[layer, 0], target_tokens, panel, upright=True)
    for head in range(heads):
        _name(grid[-1, head], source_tokens, panel, upright=False)
    if title:
        (text,), fonts = legible([title])
        figure.suptitle(text, **style(fonts, NAME + 2))
    return figure


def _name(axes: "Axes", tokens: Sequence[str], panel: float, upright: bool) -> None:
    """Name rows or columns, where the words are still legible at their size."""
    size = min(WORD, 0.8 * 72 * panel / len(tokens))
    if size < SMALLEST_WORD:
        return
    texts, fonts = legible(tokens)
    if upright:
        axes.set_yticks(range(len(tokens)), texts, **style(fonts, size))
    else:
        axes.set_xticks(range(len(tokens)), texts, rotation=90, **style(fonts, size))
    axes.tick_params(length=0, pad=2)
