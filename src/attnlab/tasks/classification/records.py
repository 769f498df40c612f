"""What testing keeps of a text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnlab.data.labelled.batches import pieces
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.classifier import Classified
from attnlab.runs.writing import Map

COLUMNS = ["number", "text", "label", "predicted", "probability", "looks at"]  #: of a table of them


class Read(NamedTuple):
    """What a model says of one text."""

    predicted: str
    probabilities: dict[str, float]
    tokens: list[str]
    weights: NDArray[Any] | None  #: [R, len(tokens)]


def read_off(found: Classified, texts: Sequence[str], tokenizer: Tokenizer, classes: Sequence[str]) -> list[Read]:
    """What a model says of each text of a batch.

    Args:
        found: of the batch.
        texts: of its rows.
        tokenizer: that made their ids.
        classes: in the order of the logits.
    """
    probabilities = found.logits.double().softmax(-1).tolist()
    weights = None if found.weights is None else found.weights.float().cpu().numpy()
    told = []
    for row, text in enumerate(texts):
        tokens = pieces(tokenizer, text)
        named = dict(zip(classes, probabilities[row], strict=True))
        seen = None if weights is None else weights[row, :, : len(tokens)]
        told.append(Read(max(named, key=named.__getitem__), named, tokens, seen))
    return told


def rounded(weights: NDArray[Any] | None) -> list[list[float]] | None:
    """Weights as a line of JSON has them."""
    return None if weights is None else np.round(weights.astype(np.float64), 4).tolist()


class Judged(NamedTuple):
    """A text, its class and the one that it was given."""

    text: str
    label: str
    predicted: str
    probabilities: dict[str, float]
    loss: float  #: negative log-likelihood of the label, in nats
    tokens: list[str]
    weights: NDArray[Any] | None  #: [R, len(tokens)] of R looks at the words
    looks: tuple[str, ...] = ()  #: what each row of the weights is

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``; ``weights`` has a list a look, a number a token."""
        return {
            "text": self.text,
            "label": self.label,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "loss": self.loss,
            "tokens": list(self.tokens),
            "weights": rounded(self.weights),
        }

    def map(self, number: int) -> Map | None:
        """The words by their weight, a row a look."""
        if self.weights is None:
            return None
        share = f"{self.probabilities[self.predicted]:.2f}"
        told = (
            f"{self.label}, found with {share}"
            if self.label == self.predicted
            else (f"{self.label}, taken for {self.predicted} with {share}")
        )
        return Map(number, self.weights, list(self.tokens), list(self.looks), text=True, note=told)


def cells(number: int, item: Judged) -> list[Any]:
    """A row of a table, by ``COLUMNS``."""
    probability = round(item.probabilities[item.predicted], 4)
    return [number, item.text, item.label, item.predicted, probability, most_weight(item)]


def most_weight(item: Judged, words: int = 3) -> str:
    """The words with most weight, most first, each with its share."""
    if item.weights is None:
        return ""
    mean = item.weights.mean(0)
    order = np.argsort(-mean)[:words]
    return " ".join(f"{item.tokens[place]} {mean[place]:.2f}" for place in order)
