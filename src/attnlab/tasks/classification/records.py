"""What testing keeps of a text."""

from typing import Any, NamedTuple

import numpy as np

from attnlab.runs.writing import Map

COLUMNS = ["number", "text", "label", "predicted", "probability", "looks at"]  #: of a table of them


class Judged(NamedTuple):
    """A text, its class and the one that it was given."""

    text: str
    label: str
    predicted: str
    probabilities: dict[str, float]
    loss: float  #: negative log-likelihood of the label, in nats
    tokens: list[str]
    weights: np.ndarray[Any, Any] | None  #: [R, len(tokens)] of R looks at the words
    looks: tuple[str, ...] = ()  #: what each row of the weights is

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``; ``weights`` has a list a look, a number a token."""
        rounded = None if self.weights is None else np.round(self.weights.astype(np.float64), 4).tolist()
        return {
            "text": self.text,
            "label": self.label,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "loss": self.loss,
            "tokens": list(self.tokens),
            "weights": rounded,
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
