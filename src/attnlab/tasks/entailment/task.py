"""Entailment as a task: a classification of sentence pairs, whose record shows how the two were aligned."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
import torch

from attnlab.data.pairs.batches import PairBatch
from attnlab.data.pairs.module import PairData
from attnlab.models.overlap_linear import OverlapLinear
from attnlab.models.pair_classifier import PairClassifier, Paired
from attnlab.runs.words import Words
from attnlab.runs.writing import Map
from attnlab.tasks.classification.classifying import Classifying
from attnlab.tasks.entailment.explaining import pair_instances
from attnlab.tasks.entailment.records import COLUMNS, Judged, cells, maps_of, pairs_of
from attnlab.tasks.explaining import About, Instances
from attnlab.tasks.records import Table
from attnlab.types import NO_SENTENCE

PAIR_WORDS = Words("pair", "pairs", "prediction", "predictions", "word of the premise", "words of the premise",
                   "word of the hypothesis", "words of the hypothesis")  # fmt: skip


class Entailment(Classifying[Judged]):
    """Train, validate and test a model that tells whether one sentence follows from another.

    Args:
        model: the network.
        data: the pairs and their classes.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        label_smoothing: epsilon of the smoothed cross-entropy, in training by gradients only.
        class_weights: what a pair of each class counts in the loss: ``balanced``, a mapping, or None for all alike.
    """

    unit: ClassVar[str] = "pairs"
    words = PAIR_WORDS
    keys: ClassVar[Mapping[str, str]] = {"input": "pair", "reference": "label", "output": "predicted"}
    model: PairClassifier | OverlapLinear
    data: PairData

    def fit(self) -> tuple[float, int]:
        """Fit a linear model to the features of the training pairs."""
        features, labels = self.data.training_features()
        shares = np.eye(len(self.data.classes))[labels]
        if self._class_weights is not None:
            shares = shares * self._class_weights.cpu().numpy()
        return cast(OverlapLinear, self.model).fit(features, shares), len(labels)

    def records(self, split: str, batch: PairBatch) -> dict[int, Judged]:
        numbers, classes = batch.index.tolist(), self.data.classes
        if NO_SENTENCE in numbers:  # a row that keeps a process at work stands alone
            return {}
        found: Paired = self.model(*batch.inputs)
        _, losses = self.model.losses(found, batch.label)
        pairs = pairs_of(found, [self.data.pair(split, number) for number in numbers], self.data.tokenizer)
        probabilities = found.logits.double().softmax(-1).tolist()
        rows = zip(numbers, pairs, batch.label.tolist(), probabilities, losses.tolist(), strict=True)
        return {n: judged(pair, classes[label], classes, row, loss) for n, pair, label, row, loss in rows}

    @torch.no_grad()
    def maps(self, batch: PairBatch) -> list[Map]:
        return maps_of(self.records("val", batch), batch, self.model.weights_by_head(*batch.inputs))

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> list[tuple[Instances, list[About]]]:
        return [pair_instances(self.model, self.data, split, numbers)]

    @torch.no_grad()
    def samples(self, batch: PairBatch) -> Table:
        """Pairs with their class, the one they were given, and how firmly words are aligned."""
        return Table(COLUMNS, [cells(number, item) for number, item in self.records("val", batch).items()])

    def table(self, records: Sequence[Judged]) -> Table:
        return Table(COLUMNS, [cells(number, item) for number, item in enumerate(records)])

    def plain(self, batch: PairBatch) -> list[dict[str, Any]]:
        return [
            dict(zip(("number", "premise", "hypothesis"), (number, *self.data.pair("train", number)), strict=True))
            | {"label": self.data.classes[label]}
            for number, label in zip(batch.index.tolist(), batch.label.tolist(), strict=True)
            if number != NO_SENTENCE
        ]


def judged(pair: Any, label: str, classes: Sequence[str], probabilities: Sequence[float], loss: float) -> Judged:
    """A pair with the class that is likeliest."""
    named = dict(zip(classes, probabilities, strict=True))
    return Judged(pair, label, max(named, key=named.__getitem__), named, loss)
