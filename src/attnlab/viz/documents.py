r"""A document sentence by sentence: a bar beside each, as dark as its weight, and its words shaded within.

Yang et al. 2016, figure 5: a word is as dark as $\sqrt{p_s}\, p_w$ says, so that words stand out that weigh much in
sentences that do. Of several looks the mean is drawn. Darkest are the largest values of the document.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.types import DataError
from attnlab.viz.fonts import legible
from attnlab.viz.heatmap import require_weights
from attnlab.viz.page import GAP, INK, LINE, NOTE_FONT, PAD, TITLE_FONT, blank, extents, style, wrap_title
from attnlab.viz.palette import ORANGES, ink_on, scale, shades
from attnlab.viz.shaded import BLANK, Word, place
from attnlab.viz.shares import shares

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = 8.0  # points: a document is long
WIDTH = 8.0  # inches of a line
HIGH = 1.6 * SIZE / 72  # inches of a line with its space
GUTTER, BAR = 0.62, 0.16  # inches: room for number, weight and bar; the bar
LEAST = 0.02  # that is shaded
MOST_LINES = 420  # that are drawn; a picture of more could not be read


class Drawn(NamedTuple):
    """A sentence on the page."""

    number: int  #: from 1
    weight: float | None  #: None where sentences are not looked at
    words: list[Word]

    @property
    def lines(self) -> int:
        return self.words[-1].line + 1


def by_sentence(
    weights: Float[np.ndarray, "T S"],
    words: Sequence[str],
    sentences: Sequence[int],
    sentence_weights: Float[np.ndarray, "R N"] | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw a document.

    Args:
        weights: a row a look, a column a word; of each sentence by itself.
        words: of the document.
        sentences: how many words each has.
        sentence_weights: a row a look, a column a sentence; None where they are not looked at.
        title: stands above, broken into lines.

    Returns:
        A figure that belongs to no window and no global state.

    Raises:
        DataError: the weights do not fit words and sentences, or are no numbers.
    """
    require_weights(np.asarray(weights), len(weights), len(words))
    if sum(sentences) != len(words):
        raise DataError(f"{len(words)} words came in sentences of {sum(sentences)}; expected as many")
    if sentence_weights is not None:
        require_weights(np.asarray(sentence_weights), len(sentence_weights), len(sentences))
    above = None if sentence_weights is None else np.asarray(sentence_weights, np.float64).mean(0)
    shades = shares(np.asarray(weights, np.float64).mean(0), sentences, above)
    texts, fonts = legible(words)
    drawn, unseen = fitting(paragraphs(texts, measured(texts, fonts), shades, sentences, above))
    return page(drawn, unseen, above, fonts, title or "")


def measured(texts: Sequence[str], fonts: Sequence[str]) -> list[float]:
    """The width of each word; each different one is measured once."""
    different = list(dict.fromkeys(texts))
    widths = dict(zip(different, (width for width, _ in extents(different, fonts, SIZE)), strict=True))
    return [widths[text] for text in texts]


def paragraphs(
    texts: Sequence[str],
    widths: Sequence[float],
    shades: Float[np.ndarray, " S"],
    sentences: Sequence[int],
    above: Float[np.ndarray, " N"] | None,
) -> Iterator[Drawn]:
    start = 0
    for number, length in enumerate(sentences):
        own = slice(start, start + length)
        weight = None if above is None else float(above[number])
        yield Drawn(number + 1, weight, place(texts[own], widths[own], shades[own], WIDTH))
        start += length


def fitting(sentences: Iterator[Drawn]) -> tuple[list[Drawn], int]:
    """As many as can be drawn, and how many are left."""
    kept: list[Drawn] = []
    lines = left = 0
    for sentence in sentences:
        lines += sentence.lines
        if kept and lines > MOST_LINES:
            left += 1
        else:
            kept.append(sentence)
    return kept, left


def page(
    drawn: Sequence[Drawn], unseen: int, above: Float[np.ndarray, " N"] | None, fonts: Sequence[str], title: str
) -> "Figure":
    most = 0.0 if above is None else float(above.max())
    told = [] if above is None else [f"bars: weights of sentences, darkest is {most:.{decimals(most)}f}"]
    told += ["words: their weights within the sentence, times the root of its own" if told else "words: their weights"]
    told += [f"{unseen} more sentences are not drawn"] if unseen else []
    lines, title_fonts = wrap_title(title, WIDTH + GUTTER)
    head = extents([lines], title_fonts, TITLE_FONT)[0][1] + 2 * GAP if lines else 0.0
    note = NOTE_FONT * LINE + GAP
    width = WIDTH + GUTTER + 2 * PAD
    height = 2 * PAD + head + note + sum(sentence.lines * HIGH + GAP for sentence in drawn)
    figure, top = blank(width, height), height - PAD
    if lines:
        figure.text(PAD / width, top / height, lines, va="top", **style(title_fonts, TITLE_FONT))
    at = PAD / width, (top - head) / height
    figure.text(*at, "; ".join(told), va="top", **style(legible(told)[1], NOTE_FONT))
    top -= head + note
    for sentence in drawn:
        draw(figure, sentence, top, most, fonts)
        top -= sentence.lines * HIGH + GAP
    return figure


def decimals(most: float) -> int:
    """Two, and more where that were less than two digits of the largest weight: of many sentences all are small."""
    return max(2, math.ceil(-math.log10(most)) + 1) if most > 0 else 2


def draw(figure: "Figure", sentence: Drawn, top: float, most: float, fonts: Sequence[str]) -> None:
    """One sentence, from so many inches above the lower edge downwards."""
    width, height = figure.get_size_inches()
    low = top - sentence.lines * HIGH
    if sentence.weight is not None:
        box(
            figure,
            PAD,
            low,
            BAR,
            sentence.lines * HIGH,
            scale(ORANGES)(abs(sentence.weight) / most if most > 0 else 0.0),
        )
        places = decimals(most)
        said = f"{sentence.weight:.{places}f}".lstrip("0") if abs(sentence.weight) >= 0.5 * 10**-places else ""
        at = (PAD + GUTTER - 2 * GAP) / width, (top - 0.5 * HIGH) / height
        figure.text(*at, said, va="center", ha="right", **style(fonts, NOTE_FONT))
    darkness = shades(np.array([word.weight for word in sentence.words]))
    for word in sentence.words:
        left, middle = PAD + GUTTER + word.left, top - (word.line + 0.5) * HIGH
        seen = abs(word.weight) >= LEAST
        if seen:
            box(figure, left - BLANK / 2, middle - 0.44 * HIGH, word.width + BLANK, 0.88 * HIGH, darkness(word.weight))
        ink = {"color": ink_on(darkness(word.weight)) if seen else INK}
        figure.text(left / width, middle / height, word.text, va="center", **{**style(fonts, SIZE), **ink})


def box(figure: "Figure", left: float, bottom: float, wide: float, high: float, color: object) -> None:
    """A rectangle of so many inches."""
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    corner, transform = (left / width, bottom / height), figure.transFigure
    figure.add_artist(
        Rectangle(corner, wide / width, high / height, transform=transform, facecolor=color, linewidth=0)  # type: ignore[arg-type]
    )
