"""What testing keeps of a text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnlab.data.labelled.batches import LabelledBatch, pieces
from attnlab.data.labelled.tokenized import Sentences
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.models.classifier import Classified, TextClassifier
from attnlab.models.linear import Linear
from attnlab.runs.writing import Map

COLUMNS = ["number", "text", "label", "predicted", "probability", "looks at"]  #: of a table of them
UNSEEN = "no attention to words"


class Looked(NamedTuple):
    """What was looked at in a text, and by what."""

    tokens: list[str]
    weights: (
        NDArray[Any] | None
    )  #: [R, len(tokens)] of R looks at the words; at those of each sentence, where there are
    looks: tuple[str, ...]  #: what each row of the weights is
    sentences: list[int] | None = None  #: tokens of each sentence of a document
    sentence_weights: NDArray[Any] | None = None  #: [R, len(sentences)] of R looks at the sentences
    sentence_looks: tuple[str, ...] = ()

    def line(self) -> dict[str, Any]:
        """As a line of JSON has it; ``weights`` has a list a look, a number a token."""
        told = {"tokens": list(self.tokens), "weights": rounded(self.weights)}
        if self.sentences is None:
            return told
        return {**told, "sentences": self.sentences, "sentence_weights": rounded(self.sentence_weights)}

    def map(self, number: int, note: str) -> Map | None:
        """The words by their weight, a row a look, and the sentences of a document by theirs."""
        if self.weights is None and self.sentence_weights is None:
            return None
        weights, looks = self.weights, list(self.looks)
        if weights is None:
            weights, looks = np.zeros((1, len(self.tokens)), np.float32), [UNSEEN]
        return Map(
            number, weights, list(self.tokens), looks, text=True, note=note, sentences=self.sentences,
            sentence_weights=self.sentence_weights,
        )  # fmt: skip

    @property
    def shares(self) -> NDArray[Any] | None:
        """What each word has of all weight; of a document that of its sentence times its own in it."""
        if self.weights is None or self.sentences is None or self.sentence_weights is None:
            return None if self.weights is None else self.weights.mean(0)
        return self.weights.mean(0) * np.repeat(self.sentence_weights.mean(0), self.sentences)


class Named(NamedTuple):
    """What the numbers of a batch are called."""

    texts: Sequence[str]  #: of its rows
    classes: Sequence[str]  #: in the order of the logits
    tokenizer: Tokenizer  #: that made the ids
    sentences: Sentences | None = None  #: how documents were read


class Read(NamedTuple):
    """What a model says of one text."""

    predicted: str
    probabilities: dict[str, float]
    seen: Looked


def read_off(model: TextClassifier | Linear, found: Classified, batch: LabelledBatch, named: Named) -> list[Read]:
    """What a model says of each text of a batch.

    Args:
        model: that says it.
        found: of the batch.
        batch: of the texts.
        named: what its numbers are called.
    """
    probabilities = found.logits.double().softmax(-1).tolist()
    weights, above = plain(found.weights), plain(found.sentence_weights)
    counts = None if batch.sentences is None else batch.sentences.tolist()
    told = []
    for row, text in enumerate(named.texts):
        tokens = pieces(named.tokenizer, text, named.sentences)
        by_class = dict(zip(named.classes, probabilities[row], strict=True))
        seen = Looked(tokens, None if weights is None else weights[row, :, : len(tokens)], model.looks)
        if counts is not None:
            lengths = [count for count in counts[row] if count]
            sentences = None if above is None else above[row, :, : len(lengths)]
            seen = Looked(*seen[:3], lengths, sentences, model.sentence_looks)
        told.append(Read(max(by_class, key=by_class.__getitem__), by_class, seen))
    return told


def plain(weights: Any) -> NDArray[Any] | None:
    return None if weights is None else weights.float().cpu().numpy()


def rounded(weights: NDArray[Any] | None) -> list[list[float]] | None:
    """Weights as a line of JSON has them."""
    return None if weights is None else np.round(weights.astype(np.float64), 4).tolist()


def in_one_line(text: str) -> str:
    """A document's sentences one after another."""
    return text.replace("\n", " ")


class Judged(NamedTuple):
    """A text, its class and the one that it was given."""

    text: str
    label: str
    predicted: str
    probabilities: dict[str, float]
    loss: float  #: negative log-likelihood of the label, in nats
    seen: Looked

    def line(self) -> dict[str, Any]:
        """A line of ``<split>.jsonl``."""
        return {
            "text": in_one_line(self.text),
            "label": self.label,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "loss": self.loss,
            **self.seen.line(),
        }

    def map(self, number: int) -> Map | None:
        """Of what was looked at."""
        share = f"{self.probabilities[self.predicted]:.2f}"
        told = (
            f"{self.label}, found with {share}"
            if self.label == self.predicted
            else (f"{self.label}, taken for {self.predicted} with {share}")
        )
        return self.seen.map(number, told)


def cells(number: int, item: Judged) -> list[Any]:
    """A row of a table, by ``COLUMNS``."""
    probability = round(item.probabilities[item.predicted], 4)
    return [number, in_one_line(item.text), item.label, item.predicted, probability, most_weight(item.seen)]


def most_weight(seen: Looked, words: int = 3) -> str:
    """The words with most weight, most first, each with its share."""
    shares = seen.shares
    if shares is None:
        return ""
    order = np.argsort(-shares)[:words]
    return " ".join(f"{seen.tokens[place]} {shares[place]:.2f}" for place in order)
