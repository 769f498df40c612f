"""What testing keeps of a text."""

from typing import Any, NamedTuple

import numpy as np

from attnlab.runs.writing import Map


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
