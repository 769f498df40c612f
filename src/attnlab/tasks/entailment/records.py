"""What testing keeps of a sentence pair."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from attnlab.data.labelled.batches import pieces
from attnlab.data.pairs.batches import PairBatch
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.pair_classifier import Paired
from attnlab.runs.writing import Map
from attnlab.tasks.classification.records import rounded
from attnlab.tasks.prediction import plain
from attnlab.tasks.records import Record, drawable

SIDES = ("premise", "hypothesis")
ARROW = " → "  #: between premise and hypothesis, where both are one text


class Pair(NamedTuple):
    """Two sentences in pieces, and what each looked at in the other."""

    premise: str
    hypothesis: str
    premise_tokens: list[str]
    hypothesis_tokens: list[str]
    weights: NDArray[Any] | None  #: [T, S] of the hypothesis over the premise
    back: NDArray[Any] | None  #: [S, T] of the premise over the hypothesis

    def line(self) -> dict[str, Any]:
        """The part of a line of ``<split>.jsonl`` that every task of pairs has."""
        return {
            "pair": f"{self.premise}{ARROW}{self.hypothesis}",
            "premise": self.premise,
            "hypothesis": self.hypothesis,
            "premise_tokens": self.premise_tokens,
            "hypothesis_tokens": self.hypothesis_tokens,
            "weights": rounded(self.weights),
            "weights_back": rounded(self.back),
        }

    def map(self, number: int, note: str) -> Map | None:
        """The hypothesis down, the premise across; and the way back, where the premise looks, too."""
        if self.weights is None:
            return None
        words = self.premise_tokens, self.hypothesis_tokens
        return Map(number, self.weights, *words, note=note, back=self.back, sides=SIDES)


def pairs_of(found: Paired, pairs: Sequence[tuple[str, str]], tokenizer: Tokenizer) -> list[Pair]:
    """What a model has looked at in each pair of a batch."""
    numbers = [None if part is None else part.float().cpu().numpy() for part in (found.weights, found.back)]
    told = []
    for row, (premise, hypothesis) in enumerate(pairs):
        p, h = pieces(tokenizer, premise), pieces(tokenizer, hypothesis)
        there, back = (None if part is None else part[row] for part in numbers)
        there = None if there is None else there[: len(h), : len(p)]
        back = None if back is None else back[: len(p), : len(h)]
        told.append(Pair(premise, hypothesis, p, h, there, back))
    return told


def maps_of(found: Mapping[int, Record], batch: PairBatch, heads: Float[Tensor, "B L H T S"] | None) -> list[Map]:
    """The alignments of a batch, with those of every head where there are any."""
    maps = []
    for row, number in enumerate(batch.index.tolist()):
        item = found[number].map(number) if number in found else None
        if item is not None and drawable(item):
            seen = None if heads is None else plain(heads[row, ..., : len(item.rows), : len(item.columns)])
            maps.append(item._replace(heads=seen))
    return maps


class Judged(NamedTuple):
    """A pair, its class and the one that it was given."""

    pair: Pair
    label: str
    predicted: str
    probabilities: dict[str, float]
    loss: float  #: negative log-likelihood of the label, in nats

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``; ``weights`` has a list a word of the hypothesis, ``weights_back`` a list a word
        of the premise.
        """
        told = {"label": self.label, "predicted": self.predicted, "probabilities": self.probabilities}
        return {**self.pair.line(), **told, "loss": self.loss}

    def map(self, number: int) -> Map | None:
        share = f"{self.probabilities[self.predicted]:.2f}"
        right = f"{self.label}, found with {share}"
        wrong = f"{self.label}, taken for {self.predicted} with {share}"
        return self.pair.map(number, right if self.label == self.predicted else wrong)


COLUMNS = ["number", "premise", "hypothesis", "label", "predicted", "probability", "aligned"]  #: of a table of them


def cells(number: int, item: Judged) -> list[Any]:
    """A row of a table, by ``COLUMNS``."""
    pair, probability = item.pair, round(item.probabilities[item.predicted], 4)
    return [number, pair.premise, pair.hypothesis, item.label, item.predicted, probability, aligned(pair)]


def aligned(pair: Pair, words: int = 3) -> str:
    """The words of the hypothesis that look at one word most firmly, and at which."""
    if pair.weights is None:
        return ""
    top = pair.weights.max(1)
    order = np.argsort(-top)[:words]
    best = pair.weights.argmax(1)
    return ", ".join(f"{pair.hypothesis_tokens[t]}–{pair.premise_tokens[best[t]]} {top[t]:.2f}" for t in order)
