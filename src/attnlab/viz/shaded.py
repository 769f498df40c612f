"""A text whose words are shaded by their weight, once for each look at it; darkest is a look's largest weight."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.viz.fonts import legible
from attnlab.viz.heatmap import require_weights
from attnlab.viz.page import FONT, GAP, LINE, NOTE_FONT, PAD, TITLE_FONT, blank, extents, style, wrap_title
from attnlab.viz.palette import colors, ink_on

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.0  #: inches, of a line of text
BLANK = 0.045  #: inches between words
MOST_WORDS = 600  #: that are drawn; a picture of more would be of several pages
HIGH = 1.75 * FONT / 72  #: inches of a line with its space


class Word(NamedTuple):
    """Where a word stands, in inches from the left and from the first line."""

    text: str
    left: float
    line: int
    width: float
    weight: float


def shaded(
    weights: Float[Tensor, "T S"] | Float[np.ndarray, "T S"],
    words: Sequence[str],
    looks: Sequence[str],
    title: str | None = None,
) -> "Figure":
    """Draw a text once for each look.

    Args:
        weights: a row a look, a column a word, from 0 to 1.
        words: of the text.
        looks: what each row is; said beside its largest weight.
        title: stands above, broken into lines.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: the weights do not fit the words and looks, or are not from 0 to 1.
    """
    from matplotlib.patches import Rectangle

    table = torch.as_tensor(weights).detach().to("cpu", torch.float64).numpy()
    require_weights(table, len(looks), len(words))
    if len(words) > MOST_WORDS:
        more = f"… {len(words) - MOST_WORDS:,} more words"
        words, table = [*words[:MOST_WORDS], more], np.pad(table[:, :MOST_WORDS], ((0, 0), (0, 1)))
    texts, fonts = legible(words)
    widths = [width for width, _ in extents(texts, fonts, FONT)]
    lines, title_fonts = wrap_title(title or "", WIDTH)
    head = extents([lines], title_fonts, TITLE_FONT)[0][1] + 3 * GAP if lines else 0.0
    note = NOTE_FONT * LINE + GAP
    paragraphs = [place(texts, widths, row) for row in table]
    height = 2 * PAD + head + sum(note + (words[-1].line + 1) * HIGH + GAP for words in paragraphs)
    width = WIDTH + 2 * PAD
    figure = blank(width, height)
    shades, top = colors(), height - PAD
    if lines:
        figure.text(PAD / width, top / height, lines, va="top", **style(title_fonts, TITLE_FONT))
    top -= head
    for look, row, found in zip(looks, table, paragraphs, strict=True):
        told = f"{look}: largest is {row.max():.2f}"
        figure.text(PAD / width, top / height, told, va="top", **style(legible([told])[1], NOTE_FONT))
        top -= note
        for word in found:
            share = word.weight / row.max() if row.max() > 0 else 0.0
            low = top - (word.line + 1) * HIGH
            corner = ((PAD + word.left - BLANK / 2) / width, (low + 0.1 * HIGH) / height)
            size = ((word.width + BLANK) / width, 0.86 * HIGH / height)
            box = Rectangle(corner, *size, transform=figure.transFigure, facecolor=shades(share), linewidth=0)
            figure.add_artist(box)
            at = ((PAD + word.left) / width, (low + 0.5 * HIGH) / height)
            ink = {"color": ink_on(shades(share))}
            figure.text(*at, word.text, va="center", **{**style(fonts, FONT), **ink})
        top -= (found[-1].line + 1) * HIGH + GAP
    return figure


def place(
    texts: Sequence[str], widths: Sequence[float], weights: Float[np.ndarray, " S"], most: float = WIDTH
) -> list[Word]:
    """Break a text into lines of so many inches; a word that is longer has a line of its own."""
    left, line, words = 0.0, 0, []
    for text, width, weight in zip(texts, widths, weights.tolist(), strict=True):
        if left and left + width > most:
            left, line = 0.0, line + 1
        words.append(Word(text, left, line, width, weight))
        left += width + BLANK
    return words
