"""What a classifier of texts can be asked about the attention of its pooling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.given import as_looks, heads_of, mechanism_of, watched
from attnlab.data.labelled.batches import LabelledBatch, pieces
from attnlab.data.labelled.module import LabelledData
from attnlab.errors import ConfigError
from attnlab.models.classifier import TextClassifier
from attnlab.models.hierarchical import Hierarchical
from attnlab.tasks.explaining import About, Asked, EncodedInstances, Instances, mixed_by
from attnlab.types import Encoded


@dataclass(eq=False)
class TextInstances(EncodedInstances):
    """Texts; their positions are the words, or the sentences of a document that is read by sentences.

    Attributes:
        model: whose ``pooling`` looks, with its encoder of these positions.
    """

    model: TextClassifier

    @property
    def mechanism(self) -> nn.Module | None:
        return self.model.pooling.attention

    @property
    def encoder(self) -> nn.Module:
        """What reads these positions."""
        return getattr(self.model.encoder, "sentences", self.model.encoder)

    def encode(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> Encoded:
        encoded: Encoded = self.encoder(inputs, mask)
        return encoded

    def mixing(self) -> Float[Tensor, "N K S S"] | None:
        return mixed_by(self.encoder, self.inputs, self.mask)

    def said(self, encoded: Encoded) -> Float[Tensor, "N C"]:
        pooled = self.model.pooling(encoded)
        logits: Tensor = self.model.output(self.model.hidden(pooled.vector))
        return logits.softmax(-1)


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
    names = [named(model, data, split, number) for number in numbers]
    return found, about_texts(found, data, batch, numbers, names)


def about_texts(
    found: Instances, data: LabelledData, batch: LabelledBatch, numbers: Sequence[int], names: Sequence[list[str]]
) -> list[About]:
    """What is told of texts whose positions have these names."""
    classes = [data.classes[number] for number in found.predicted.tolist()]
    labels = [data.classes[label] for label in batch.label.tolist()]
    told = zip(numbers, names, classes, labels, found.output.amax(1).tolist(), strict=True)
    return [
        About(number, name, output, {"label": label, "probability": probability})
        for number, name, output, label, probability in told
    ]


def said_of(model: Any, batch: LabelledBatch) -> Asked:
    """The classes of texts and what is looked at; differentiable.

    Raises:
        ConfigError: the model looks at nothing, or at two levels.
    """
    if isinstance(model, Hierarchical):
        raise ConfigError(
            "baselines: documents that are read by sentences are looked at twice, and a baseline is given one look; "
            "train model=classifier, which reads a document as one text"
        )
    attention = getattr(getattr(model, "pooling", None), "attention", None)
    with watched(attention) as seen:
        found = model(*batch.inputs)
    return Asked(found.logits.softmax(-1), as_looks(seen[0], heads_of(attention)))


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
