"""What a normalizer makes of scores: weights of one row as bars, and how the weight of a word grows with its score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.viz.chart import FONT, PAPER, SMALL, canvas, quiet, settle
from attnlab.viz.fonts import DEFAULT, legible
from attnlab.viz.page import INK, style
from attnlab.viz.palette import DASHES, HUES, MINUS, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, TALL = 9.0, 3.1  # inches


class Curve(NamedTuple):
    label: str
    weights: Float[np.ndarray, " G"]


def normalizing(
    name: str,
    words: Sequence[str],
    scores: Sequence[float],
    used: Float[np.ndarray, " S"],
    softmax: Float[np.ndarray, " S"],
    draws: Float[np.ndarray, "N S"] | None,
    mean: Float[np.ndarray, " S"] | None,
    gaps: Float[np.ndarray, " G"],
    curves: Sequence[Curve],
    usual: Float[np.ndarray, " G"],
) -> "Figure":
    """Draw a normalizer beside the softmax.

    Args:
        name: of it.
        words: of the row.
        scores: likewise.
        used: its weights in evaluation and search.
        softmax: those of the softmax.
        draws: of one that draws at random in training, some of its draws; None of any other.
        mean: of many draws.
        gaps: by how much the score of one word is above that of all others.
        curves: its weight then, for some settings.
        usual: likewise, of the softmax.
    """
    figure = canvas(WIDE, TALL)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    _bars(left, name, words, scores, used, softmax, mean)
    if draws is None:
        _curves(right, gaps, curves, None if name == "softmax" else usual, len(words))
    else:
        _draws(right, words, draws)
    return settle(figure)


def _bars(
    axes: "Axes",
    name: str,
    words: Sequence[str],
    scores: Sequence[float],
    used: Float[np.ndarray, " S"],
    softmax: Float[np.ndarray, " S"],
    mean: Float[np.ndarray, " S"] | None,
) -> None:
    quiet(axes, "word and its score", "weight")
    places = np.arange(len(words))
    label = name if mean is None else f"{name}, in use"
    axes.bar(places, used, width=0.66, color=HUES[0], alpha=0.75, label=label)
    if name != "softmax":
        axes.bar(places, softmax, width=0.66, fill=False, edgecolor=INK, linewidth=1.0, label="softmax")
    if mean is not None:
        axes.plot(places, mean, "o", color=HUES[5], markeredgecolor=PAPER, label="mean of 1,000 draws")
    texts, fonts = legible(words)
    told = [f"{text}\n{score:g}".replace("-", MINUS) for text, score in zip(texts, scores, strict=True)]
    axes.set_xticks(places, told, **style(fonts, SMALL))
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 1.12)
    axes.set_title(f"one row of scores: its weights sum to {used.sum():.3g}", loc="left", **style([DEFAULT], FONT))
    _legend(axes)


def _curves(
    axes: "Axes",
    gaps: Float[np.ndarray, " G"],
    curves: Sequence[Curve],
    usual: Float[np.ndarray, " G"] | None,
    size: int,
) -> None:
    quiet(axes, f"score of one word above the {size - 1} others", "weight of that word")
    if usual is not None:
        axes.plot(gaps, usual, color=INK, linewidth=1.0, linestyle=(0, (2, 2)), label="softmax")
    for number, curve in enumerate(curves):
        dashes = DASHES[number]
        axes.plot(
            gaps, curve.weights, color=HUES[number], linewidth=1.8,
            linestyle=(0, dashes) if dashes else "solid", label=curve.label,
        )  # fmt: skip
    axes.set_ylim(-0.02, 1.06)
    axes.set_title("as the score of one word grows", loc="left", **style([DEFAULT], FONT))
    _legend(axes)


def _draws(axes: "Axes", words: Sequence[str], draws: Float[np.ndarray, "N S"]) -> None:
    quiet(axes, "word", "draw", grid="both")
    axes.grid(visible=False)
    axes.imshow(draws, aspect="auto", interpolation="nearest", **shades(draws).drawn)
    texts, fonts = legible(words)
    axes.set_xticks(range(len(words)), texts, **style(fonts, SMALL))
    axes.set_yticks(range(len(draws)), [str(number + 1) for number in range(len(draws))], **style([DEFAULT], SMALL))
    axes.tick_params(length=0)
    axes.set_title(f"the first {len(draws)} draws in training", loc="left", **style([DEFAULT], FONT))


def _legend(axes: "Axes") -> None:
    box = axes.legend(loc="upper left", frameon=False)
    for text in box.get_texts():
        text.set(**style([DEFAULT], SMALL))
