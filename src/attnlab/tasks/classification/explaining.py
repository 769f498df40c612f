"""What a classifier of texts can be asked about the attention of its pooling."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.given import as_called, as_looks, given, heads_of, mechanism_of, watched
from attnlab.data.labelled.batches import LabelledBatch, pieces
from attnlab.data.labelled.module import LabelledData
from attnlab.models.classifier import TextClassifier
from attnlab.models.hierarchical import Hierarchical
from attnlab.tasks.explaining import About, Asked, Instances
from attnlab.types import Encoded


@dataclass(eq=False)
class TextInstances(Instances):
    """Texts; their positions are the words, or the sentences of a document that is read by sentences.

    Attributes:
        model: whose ``pooling`` looks, with its encoder of these positions.
        encoded: what was read.
    """

    model: TextClassifier
    encoded: Encoded = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.encoded = self._encode(self.inputs, self.mask)
        self.ask()

    def _encode(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> Encoded:
        encoder = getattr(self.model.encoder, "sentences", self.model.encoder)
        encoded: Encoded = encoder(inputs, mask)
        return encoded

    def _classes(self, encoded: Encoded) -> Float[Tensor, "N C"]:
        pooled = self.model.pooling(encoded)
        logits: Tensor = self.model.output(self.model.hidden(pooled.vector))
        return logits.softmax(-1)

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        attention = self.model.pooling.attention
        encoded = self._encode(inputs, mask)
        if weights is not None:
            return Asked(self._given(encoded, weights), weights)
        with watched(attention) as seen:
            output = self._classes(encoded)
        return Asked(output, as_looks(seen[0], heads_of(attention)))

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        return self._given(self.encoded, weights)

    def _given(self, encoded: Encoded, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        attention = self.model.pooling.attention
        with given(attention, as_called(weights, heads_of(attention))):
            return self._classes(encoded)


def text_instances(
    model: Any, data: LabelledData, split: str, numbers: Sequence[int]
) -> tuple[TextInstances, list[About]]:
    """Some texts of a split.

    Raises:
        ConfigError: the model looks at nothing.
    """
    mechanism_of(getattr(getattr(model, "pooling", None), "attention", None))
    batch: LabelledBatch = data.batch(split, numbers).moved(next(model.parameters()).device)
    with torch.no_grad():
        inputs, mask = positions(model, batch)
    found = TextInstances(inputs, mask, model)
    classes = [data.classes[number] for number in found.predicted.tolist()]
    labels = [data.classes[label] for label in batch.label.tolist()]
    told = zip(numbers, classes, labels, found.output.amax(1).tolist(), strict=True)
    return found, [
        About(number, named(model, data, split, number), output, {"label": label, "probability": probability})
        for number, output, label, probability in told
    ]


def positions(model: TextClassifier, batch: LabelledBatch) -> tuple[Float[Tensor, "N S E"], Bool[Tensor, "N S"]]:
    """What the pooling's encoder reads of each text: embedded words, or vectors of sentences."""
    embedded = model.read(batch.words, batch.mask, batch.spelled)
    if isinstance(model, Hierarchical) and batch.sentences is not None:
        return model.encoder.vectors(embedded, batch.sentences)[:2]
    return embedded, batch.mask


def named(model: TextClassifier, data: LabelledData, split: str, number: int) -> list[str]:
    """The words of a text, or the sentences of a document."""
    if isinstance(model, Hierarchical) and data.sentences is not None:
        return data.sentences.of(data.text(split, number))
    return pieces(data.tokenizer, data.text(split, number), data.sentences)
