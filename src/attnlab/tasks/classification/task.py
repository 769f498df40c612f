"""Classification of texts as a task: its loss, and what validation and testing measure."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor, nn

from attnlab.data.labelled.batches import LabelledBatch
from attnlab.models.classifier import Classified, Classifier
from attnlab.models.linear import Linear
from attnlab.runs.words import Words
from attnlab.runs.writing import Map
from attnlab.tasks.classification.classifying import Classifying
from attnlab.tasks.classification.explaining import said_of, text_instances
from attnlab.tasks.classification.records import COLUMNS, Judged, Named, cells, in_one_line, read_off
from attnlab.tasks.explaining import About, Asked, Instances
from attnlab.tasks.records import Table, drawable
from attnlab.types import NO_SENTENCE


class Classification(Classifying[Judged]):
    """Train, validate and test a model that tells the class of a text.

    Args:
        model: the network.
        data: the texts and their classes.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        label_smoothing: epsilon of the smoothed cross-entropy, in training by gradients only.
        class_weights: what a text of each class counts in the loss: ``balanced``, a mapping, or None for all alike.
    """

    unit: ClassVar[str] = "texts"
    words = Words("text", "texts", "prediction", "predictions", "word", "words", "look", "looks")
    keys: ClassVar[Mapping[str, str]] = {"input": "text", "reference": "label", "output": "predicted"}
    model: Classifier | Linear

    def fit(self) -> tuple[float, int]:
        """Fit a linear model to the training texts."""
        texts, labels = self.data.training_texts()
        weights = None if self._class_weights is None else self._class_weights.cpu().numpy()[labels].astype(np.float64)
        return cast(Linear, self.model).fit(texts, labels, weights), len(labels)

    def surrogate(self, found: Classified, batch: LabelledBatch, real: Bool[Tensor, " B"]) -> Tensor | None:
        return self.model.surrogate(found, batch.label, real, batch.sentences)

    def records(self, split: str, batch: LabelledBatch) -> dict[int, Judged]:
        found: Classified = self.model(*batch.inputs)
        _, losses = self.model.losses(found, batch.label)
        numbers, classes = batch.index.tolist(), self.data.classes
        if NO_SENTENCE in numbers:  # a row that keeps a process at work stands alone
            return {}
        texts = [self.data.text(split, number) for number in numbers]
        read = read_off(self.model, found, batch, Named(texts, classes, self.data.tokenizer, self.data.sentences))
        rows = zip(numbers, texts, batch.label.tolist(), losses.tolist(), read, strict=True)
        return {
            number: Judged(text, classes[label], told.predicted, told.probabilities, loss, told.seen)
            for number, text, label, loss, told in rows
        }

    @torch.no_grad()
    def maps(self, batch: LabelledBatch) -> list[Map]:
        """With the class that was given at the end of each row's name."""
        found = self.records("val", batch)
        heads = self.model.weights_by_head(*batch.inputs)
        maps = []
        for row, number in enumerate(batch.index.tolist()):
            item = found[number].map(number) if number in found else None
            if item is not None and drawable(item):
                seen = None if heads is None else heads[row, ..., : len(item.columns)].float().cpu().numpy()
                maps.append(item._replace(heads=seen))
        return maps

    @torch.no_grad()
    def samples(self, batch: LabelledBatch) -> Table:
        """Texts with their class, the one they were given, and the words with most weight."""
        return Table(COLUMNS, [cells(number, item) for number, item in self.records("val", batch).items()])

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> list[tuple[Instances, list[About]]]:
        return [text_instances(self.model, self.data, split, numbers)]

    def asked(self, model: nn.Module, batch: LabelledBatch) -> Asked:
        return said_of(model, batch)

    def table(self, records: Sequence[Judged]) -> Table:
        return Table(COLUMNS, [cells(number, item) for number, item in enumerate(records)])

    def plain(self, batch: LabelledBatch) -> list[dict[str, Any]]:
        return [
            {
                "number": number,
                "text": in_one_line(self.data.text("train", number)),
                "label": self.data.classes[label],
            }
            for number, label in zip(batch.index.tolist(), batch.label.tolist(), strict=True)
            if number != NO_SENTENCE
        ]
