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
from attnlab.viz.palette import ink_on, shades

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.0  #: inches, of a line of text
BLANK = 0.045  #: inches between words
MOST_WORDS = 600  #: that are drawn; a picture of more would be of several pages
HIGH = 1.75 * FONT / 72  #: inches of a line with its space
NOTE = NOTE_FONT * LINE + GAP  #: inches of what is said above a text


class Paragraph(NamedTuple):
    """A text as one look at it shades it."""

    look: str  #: what looks; said beside its largest weight
    words: Sequence[str]
    weights: Float[np.ndarray, " S"]
    shares: bool = False  #: whether they are only shares of the largest, of which there is nothing to say


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
        weights: a row a look, a column a word.
        words: of the text.
        looks: what each row is; said beside its largest weight.
        title: stands above, broken into lines.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: the weights do not fit the words and looks, or are no numbers.
    """
    table = torch.as_tensor(weights).detach().to("cpu", torch.float64).numpy()
    require_weights(table, len(looks), len(words))
    return paragraphs([Paragraph(look, words, row) for look, row in zip(looks, table, strict=True)], title)


def paragraphs(texts: Sequence[Paragraph], title: str | None = None) -> "Figure":
    """Draw texts one below another, each by its own largest weight; as :func:`shaded` otherwise."""
    drawn = [(text, *laid_out(text)) for text in texts]
    lines, title_fonts = wrap_title(title or "", WIDTH)
    head = extents([lines], title_fonts, TITLE_FONT)[0][1] + 3 * GAP if lines else 0.0
    height = 2 * PAD + head + sum(NOTE + (words[-1].line + 1) * HIGH + GAP for _, words, _ in drawn)
    width = WIDTH + 2 * PAD
    figure = blank(width, height)
    top = height - PAD
    if lines:
        figure.text(PAD / width, top / height, lines, va="top", **style(title_fonts, TITLE_FONT))
    top -= head
    for text, words, fonts in drawn:
        extreme = float(max(text.weights.min(), text.weights.max(), key=abs))
        told = text.look if text.shares else f"{text.look}: largest is {extreme:.2f}"
        figure.text(PAD / width, top / height, told, va="top", **style(legible([told])[1], NOTE_FONT))
        top -= NOTE
        _shade(figure, words, fonts, top)
        top -= (words[-1].line + 1) * HIGH + GAP
    return figure


def laid_out(text: Paragraph) -> tuple[list[Word], list[str]]:
    """Where the words of a text stand, and their fonts."""
    words, weights = list(text.words), text.weights
    if len(words) > MOST_WORDS:
        words = [*words[:MOST_WORDS], f"… {len(words) - MOST_WORDS:,} more words"]
        weights = np.pad(weights[:MOST_WORDS], (0, 1))
    texts, fonts = legible(words)
    return place(texts, [width for width, _ in extents(texts, fonts, FONT)], weights), fonts


def _shade(figure: "Figure", words: Sequence[Word], fonts: Sequence[str], top: float) -> None:
    """Draw words, the first line of them below ``top``, in inches."""
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    colors = shades(np.array([word.weight for word in words]), stretched=True)
    for word in words:
        low = top - (word.line + 1) * HIGH
        corner = ((PAD + word.left - BLANK / 2) / width, (low + 0.1 * HIGH) / height)
        size = ((word.width + BLANK) / width, 0.86 * HIGH / height)
        box = Rectangle(corner, *size, transform=figure.transFigure, facecolor=colors(word.weight), linewidth=0)
        figure.add_artist(box)
        at = ((PAD + word.left) / width, (low + 0.5 * HIGH) / height)
        ink = {"color": ink_on(colors(word.weight))}
        figure.text(*at, word.text, va="center", **{**style(fonts, FONT), **ink})


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
