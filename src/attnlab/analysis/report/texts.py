"""Attention in one running text: its words shaded by their weight, once for each look; no picture, but text."""

from collections.abc import Sequence
from typing import NamedTuple

from attnlab.analysis.maps import AttentionMap
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, LEVELS, contrast, steps

WHITE, BLACK = "#ffffff", "#000000"
NAMED = 3  #: words whose weights are told in words


class Word(NamedTuple):
    text: str
    weight: float
    level: int  #: shade, 0 to LEVELS, of the look's largest weight


class LookAt(NamedTuple):
    """One row of weights."""

    name: str
    words: tuple[Word, ...]
    most: tuple[Word, ...]  #: those with the most weight, most first


class Shaded(NamedTuple):
    """Everything that the template writes."""

    looks: tuple[LookAt, ...]
    note: str  #: what the run says of the item besides


def shade(kept: AttentionMap) -> Shaded:
    """Darkest is a look's largest weight: in a long text all weights are small."""
    looks = []
    for name, row in zip(kept.target_tokens, kept.weights.tolist(), strict=True):
        top = max(row)
        words = tuple(
            Word(text, weight, round(LEVELS * max(0.0, weight) / top) if top > 0 else 0)
            for text, weight in zip(kept.source_tokens, row, strict=True)
        )
        looks.append(LookAt(name, words, tuple(sorted(words, key=lambda word: -word.weight)[:NAMED])))
    return Shaded(tuple(looks), kept.note or "")


def ground_rules() -> str:
    """CSS of shades behind text, with the ink that stands out more, on a light page and, on screen, on a dark one."""
    light, dark = (_rules(colors) for colors in (BLUES, BLUES_ON_DARK))
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _rules(colors: Sequence[str]) -> str:
    inks = [(color, max((BLACK, WHITE), key=lambda ink, color=color: contrast(ink, color))) for color in steps(colors)]
    return "\n".join(
        f".g{level} {{ background: {color}; color: {ink}; }}" for level, (color, ink) in enumerate(inks, 1)
    )
