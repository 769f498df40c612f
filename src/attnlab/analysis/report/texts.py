"""Attention in one running text: its words shaded by their weight, once for each look; no picture, but text.

A document stands once, sentence by sentence, each with its weight, as :mod:`attnlab.viz.documents` draws it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attnlab.analysis.maps import AttentionMap
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, LEVELS, ORANGES, ORANGES_ON_DARK, contrast, steps
from attnlab.viz.shares import shares

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


class Sentence(NamedTuple):
    """One of a document."""

    weight: float | None  #: None where sentences are not looked at
    level: int  #: shade of the bar beside it
    words: tuple[Word, ...]


class Shaded(NamedTuple):
    """Everything that the template writes."""

    looks: tuple[LookAt, ...]
    note: str  #: what the run says of the item besides
    sentences: tuple[Sentence, ...] = ()  #: of a document, which has no looks here


def shade(kept: AttentionMap) -> Shaded:
    """Darkest is a look's largest weight: in a long text all weights are small."""
    if kept.sentences is not None:
        return Shaded((), kept.note or "", tuple(sentences(kept, kept.sentences)))
    looks = []
    for name, row in zip(kept.target_tokens, kept.weights.tolist(), strict=True):
        top = max(map(abs, row)) or 1.0
        words = tuple(
            Word(text, weight, round(LEVELS * weight / top))
            for text, weight in zip(kept.source_tokens, row, strict=True)
        )
        looks.append(LookAt(name, words, tuple(sorted(words, key=lambda word: -abs(word.weight))[:NAMED])))
    return Shaded(tuple(looks), kept.note or "")


def sentences(kept: AttentionMap, lengths: Sequence[int]) -> Iterator[Sentence]:
    """Of a document, shaded within; of several looks their mean."""
    above = None if kept.sentence_weights is None else kept.sentence_weights.astype(np.float64).mean(0)
    own = kept.weights.astype(np.float64).mean(0)
    shades, start = shares(own, lengths, above), 0
    for number, length in enumerate(lengths):
        span = range(start, start + length)
        words = tuple(Word(kept.source_tokens[at], own[at], round(LEVELS * float(shades[at]))) for at in span)
        if above is None:
            yield Sentence(None, 0, words)
        else:
            most = np.abs(above).max() or 1.0
            yield Sentence(float(above[number]), round(LEVELS * float(abs(above[number]) / most)), words)
        start += length


def ground_rules() -> str:
    """CSS of shades behind text, with the ink that stands out more, on a light page and, on screen, on a dark one."""
    light, dark = (
        f"{_rules(words)}\n{_rules(bars, '-')}\n{_bars(bars)}"
        for words, bars in ((BLUES, ORANGES), (BLUES_ON_DARK, ORANGES_ON_DARK))
    )
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _bars(colors: Sequence[str]) -> str:
    return "\n".join(f".b{level} {{ border-color: {color}; }}" for level, color in enumerate(steps(colors), 1))


def _rules(colors: Sequence[str], sign: str = "") -> str:
    inks = [(color, max((BLACK, WHITE), key=lambda ink, color=color: contrast(ink, color))) for color in steps(colors)]
    return "\n".join(
        f".g{sign}{level} {{ background: {color}; color: {ink}; }}" for level, (color, ink) in enumerate(inks, 1)
    )
