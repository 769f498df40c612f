"""What the viewer shows: items, and what each run looked at in them."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from attnlab.analysis.maps import AttentionMap
from attnlab.runs.words import Words
from attnlab.runs.writing import Map

Kind = Literal["words", "text", "lags"]  #: how columns are drawn: side by side, as running text, as numbers of an axis
Link = tuple[int, int]  #: (column, row), 0-based

MAIN, BACK, SENTENCES = "attention", "back", "sentences"  #: names of looks; OWN + a side are the others
OWN = "own "


class Look(NamedTuple):
    """One matrix of weights by layer and head; a mechanism without has one of each."""

    weights: Float[np.ndarray, "L H T S"]
    rows: Sequence[str]  #: names of what looks
    columns: Sequence[str]  #: names of what is looked at


class Gold(NamedTuple):
    """Links that are known of an item, between the columns and the rows of its main look."""

    sure: Sequence[Link]
    possible: Sequence[Link]  #: those that are not sure


class Viewed(NamedTuple):
    """What one run made of an item, and what it looked at."""

    output: str | None  #: None where it was not asked for one
    looks: Mapping[str, Look]  #: by name; empty where it looked at nothing
    kind: Kind = "words"
    note: str = ""  #: what is to be said of it besides
    sentences: Sequence[int] | None = None  #: of a document, the columns of each sentence
    gold: Gold | None = None
    score: float | None = None
    aer: float | None = None

    @property
    def main(self) -> Look | None:
        """What is shown first."""
        return self.looks.get(MAIN) or next(iter(self.looks.values()), None)


class Asked(NamedTuple):
    """An item."""

    input: str
    reference: str = ""


class ViewedRun(NamedTuple):
    """A run, at a moment of its training, and what it made of every item, in their order."""

    run: str
    folder: str
    items: Sequence[Viewed]
    moment: str = ""  #: ``epoch 3``, ``last``; empty where there is but one

    @property
    def name(self) -> str:
        """Of both."""
        return f"{self.run}, {self.moment}" if self.moment else self.run


class Collected(NamedTuple):
    """All that a page is made from."""

    title: str
    items: Sequence[Asked]
    runs: Sequence[ViewedRun]
    words: Words
    sides: tuple[str, str]  #: what columns and rows are, in the plural
    score: str = ""  #: what the scores of items are: BLEU, accuracy; empty where there are none
    higher_is_better: bool = True
    languages: tuple[str, str] = ("", "")  #: BCP 47 tags of columns and rows, where they are known


def as_kept(item: Map | AttentionMap, said: str | None) -> Viewed:
    """What was looked at in an item, as a run has kept it.

    Args:
        item: its attention.
        said: what was made of it; None where that is not known.
    """
    if isinstance(item, AttentionMap):
        columns, rows, text = item.source_tokens, item.target_tokens, item.note is not None
    else:
        columns, rows, text = item.columns, item.rows, item.text
    looks = {MAIN: Look(by_head(item.weights) if item.heads is None else item.heads, rows, columns)}
    if item.back is not None:
        looks[BACK] = Look(by_head(item.back), columns, rows)
    if item.sentence_weights is not None and item.sentences is not None:
        above = item.sentence_weights
        numbers = [str(number) for number in range(1, len(item.sentences) + 1)]
        looks[SENTENCES] = Look(by_head(above), [f"look {row}" for row in range(1, len(above) + 1)], numbers)
    kind: Kind = "text" if text else "lags" if item.lags else "words"
    gold = None if item.gold is None else Gold(*item.gold)
    return Viewed(said, looks, kind, item.note or "", item.sentences, gold)


def by_head(weights: Float[np.ndarray, "T S"]) -> Float[np.ndarray, "1 1 T S"]:
    """Of a mechanism without heads."""
    return np.asarray(weights, np.float32)[None, None]
