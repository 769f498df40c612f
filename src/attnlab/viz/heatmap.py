"""Attention as a picture: source tokens across, target tokens down, dark where the weight lies.

The picture of Bahdanau et al. (2015), figure 3. It grows with the sentence, and its labels stay legible from
one token to a hundred.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.atomic import replacing
from attnlab.types import EOS, SPECIALS, ConfigError, DataError
from attnlab.viz.fonts import DEFAULT
from attnlab.viz.page import (
    BAR,
    CELL,
    GAP,
    NOTE,
    NOTE_FONT,
    PAD,
    TALLEST_BAR,
    TITLE_FONT,
    Labels,
    Page,
    cell_size,
    labels,
    lay_out,
    sheet,
    style,
)
from attnlab.viz.palette import MINUS, Shades, ink_on, shades
from attnlab.viz.widths import fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Link = tuple[int, int]  #: (source token, target token), 0-based

GOLD = "#e6550d"  #: of gold links; stands out on both ends of the scale
FAINT, FRAME = "#dddddd", "#888888"
PRINTED = 300.0  #: dots an inch of a PNG for a column
WRITTEN = 100  #: cells up to which the weights are written out


def heatmap(
    weights: Float[Tensor, "T S"] | Float[np.ndarray, "T S"],
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    title: str | None = None,
    gold: tuple[Iterable[Link], Iterable[Link]] | None = None,
) -> "Figure":
    """Draw attention weights.

    Args:
        weights: a row a target token, a column a source token; signed ones are drawn in two colours. A row more than
            target tokens is the end of the sentence and is labelled ``</s>``.
        source_tokens: labels across the top; characters that no installed font has are spelt ``U+6F22``.
        target_tokens: labels down the left.
        title: stands above the labels, broken into lines of the width of the figure.
        gold: sure and possible links (source token, target token) of a gold alignment: sure ones are framed,
            those that are only possible get a dashed frame.

    Returns:
        A figure that belongs to no window and no global state: draw as many as you like, in any thread.

    Raises:
        DataError: the weights do not fit the tokens or are no numbers, or a gold link lies outside.
    """
    table = torch.as_tensor(weights).detach().to("cpu", torch.float64).numpy()
    rows = [*target_tokens, *[SPECIALS[EOS]] * (len(table) == len(target_tokens) + 1)]
    require_weights(table, len(rows), len(source_tokens), f" (or one more, {SPECIALS[EOS]})")
    cell = cell_size(*table.shape)
    across, down = labels(source_tokens, cell), labels(rows, cell)
    page = lay_out(across, down, cell, title or "", note=gold is not None)
    figure = sheet(page)
    axes = figure.add_axes(page.box(page.left, page.bottom, page.columns, page.rows))
    image = add_cells(axes, table, across, down, page.slant, scale := shades(table))
    _surround(figure, image, page, scale, noted=gold is not None)
    if gold is not None:
        add_links(axes, *gold, shape=table.shape)
    return figure


def add_cells(
    axes: "Axes", table: Float[np.ndarray, "T S"], across: Labels, down: Labels, slant: float, scale: Shades
) -> "AxesImage":
    """Draw the weights with the names of both axes; write them out where they are few."""
    image = axes.imshow(table, aspect="auto", interpolation="nearest", **scale.drawn)
    _name(axes, across, down, slant)
    if table.size <= WRITTEN and cell_size(*table.shape) == CELL:
        _write(axes, table, scale)
    return image


def add_scale(figure: "Figure", image: "AxesImage", axes: "Axes", height: float, scale: Shades) -> None:
    """Draw into ``axes``, which is ``height`` inches high, what the colours mean."""
    step = 1 if height > CELL else 2
    bar = figure.colorbar(image, cax=axes, ticks=scale.ticks[0][::step])
    bar.ax.set_yticklabels(scale.ticks[1][::step], **style([DEFAULT], NOTE_FONT))
    bar.ax.tick_params(length=2, pad=2, color=FRAME)
    bar.outline.set(edgecolor=FRAME, linewidth=0.6)  # type: ignore[operator]


def save(figure: "Figure", path: Path, width: str | None = None) -> None:
    """Write a figure; the suffix says how: ``.png``, ``.pdf``, ``.svg``. Missing folders are made.

    Letters are part of the file: as TrueType fonts in a PDF, as outlines in an SVG.

    Args:
        figure: to be written; it is scaled where a width is given.
        path: of the file.
        width: of a column, with its unit: ``8.4cm``; None for as wide as it was drawn.

    Raises:
        ConfigError: the suffix is no picture format, or the width is none.
        StorageError: the system refuses.
    """
    from matplotlib import rc_context

    formats = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in formats:
        raise ConfigError(f"{path}: cannot draw a {path.suffix!r} file; use one of {', '.join(sorted(formats))}")
    if width is not None:
        fit(figure, width)
    dots = figure.dpi if width is None else max(figure.dpi, PRINTED)
    with replacing(path) as temporary, rc_context({"pdf.fonttype": 42, "svg.fonttype": "path"}):
        figure.savefig(temporary, dpi=dots)


def require_weights(table: np.ndarray, rows: int, columns: int, also: str = "") -> None:
    """DataError unless the last two dimensions are rows and columns and all values are numbers.

    ``also`` says what else than a row a target token the caller allows.
    """
    if table.shape[-2:] != (rows, columns) or not table.size:
        raise DataError(
            f"weights of shape {table.shape} came with {rows} target and {columns} source tokens; expected a "
            f"row a target token{also}, a column a source token, one of each or more"
        )
    if wrong := int((~np.isfinite(table)).sum()):
        raise DataError(f"{wrong} of {table.size} weights are nan or infinite; expected numbers")


def _name(axes: "Axes", across: Labels, down: Labels, slant: float) -> None:
    """Label columns and rows, and part the cells by a faint grid."""
    columns, rows = len(across.texts), len(down.texts)
    turned: dict[str, Any] = {"rotation": slant, "rotation_mode": "anchor", "ha": "left"} if slant else {}
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, pad=GAP * 72)
    axes.set_xticks(range(columns), across.texts, **turned, **style(across.fonts, across.size))
    axes.set_yticks(range(rows), down.texts, **style(down.fonts, down.size))
    # Lines of our own: those of minor ticks take as long to draw as the whole rest of the figure.
    axes.vlines(np.arange(0.5, columns - 1), -0.5, rows - 0.5, color=FAINT, linewidth=0.4)
    axes.hlines(np.arange(0.5, rows - 1), -0.5, columns - 0.5, color=FAINT, linewidth=0.4)
    axes.spines[:].set(color=FRAME, linewidth=0.6)


def _surround(figure: "Figure", image: "AxesImage", page: Page, scale: Shades, noted: bool) -> None:
    """Draw what stands around the cells: the title, the colour bar, the line about gold links."""
    height = min(page.rows, TALLEST_BAR)
    box = page.box(page.left + page.columns + 2 * GAP, page.bottom + page.rows - height, BAR, height)
    add_scale(figure, image, figure.add_axes(box), height, scale)
    if page.title:
        top = 1 - PAD / page.height
        figure.text(0.5, top, page.title, ha="center", va="top", **style(page.title_fonts, TITLE_FONT))
    if noted:
        figure.text(PAD / page.width, PAD / page.height, NOTE, va="bottom", **style([DEFAULT], NOTE_FONT))


def _write(axes: "Axes", table: np.ndarray, scale: Shades) -> None:
    """Write weights into their cells, but for those that round to nothing."""
    for (row, column), weight in np.ndenumerate(table):
        if abs(weight) >= 0.005:
            text = written(float(weight))
            ink = ink_on(scale(weight))
            axes.text(column, row, text, ha="center", va="center", fontfamily=DEFAULT, fontsize=7.5, color=ink)


def written(weight: float) -> str:
    """In two digits: ``.25``, ``1``, ``−.5``."""
    text = f"{abs(weight):.2f}".removeprefix("0")
    return f"{MINUS if weight < 0 else ''}{text.removesuffix('.00') or 0}"


def add_links(axes: "Axes", sure: Iterable[Link], possible: Iterable[Link], shape: tuple[int, ...]) -> None:
    """Put frames around the cells of gold links."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    solid = set(sure)
    for source, target in sorted(solid | set(possible)):
        if not (0 <= target < shape[0] and 0 <= source < shape[1]):
            raise DataError(
                f"gold link {source}-{target} lies outside {shape[1]} source and {shape[0]} target tokens; "
                "links are (source token, target token), counted from 0"
            )
        line = "solid" if (source, target) in solid else (0, (2, 1.5))
        corner = (source - 0.42, target - 0.42)
        frame = Rectangle(corner, 0.84, 0.84, fill=False, edgecolor=GOLD, linewidth=1.3, linestyle=line)
        frame.set_path_effects([withStroke(linewidth=2.6, foreground="white")])  # visible on grey paper too
        axes.add_patch(frame)
