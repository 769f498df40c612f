"""Classification of texts as a task: its loss, and what validation and testing measure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.data.labelled.batches import LabelledBatch
from attnlab.data.labelled.module import LabelledData
from attnlab.metrics.quantity import Counted
from attnlab.models.classifier import Classified, Classifier
from attnlab.models.linear import Linear
from attnlab.ranges import Fraction
from attnlab.runs.words import Words
from attnlab.runs.writing import Map, Value
from attnlab.tasks.base import Task
from attnlab.tasks.classification import VALIDATED
from attnlab.tasks.classification.class_weights import ClassWeights, check_class_weights, class_weights
from attnlab.tasks.classification.confusion import save_confusion
from attnlab.tasks.classification.records import COLUMNS, Judged, Named, cells, in_one_line, read_off
from attnlab.tasks.objective import Summed
from attnlab.tasks.records import Table, drawable
from attnlab.tasks.schedules import Schedule
from attnlab.types import NO_SENTENCE, ConfigError


class Classification(Task[Judged]):
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
    learns_draws: ClassVar[bool] = True
    words = Words("text", "texts", "prediction", "predictions", "word", "words", "look", "looks")
    keys: ClassVar[Mapping[str, str]] = {"input": "text", "reference": "label", "output": "predicted"}
    quantities: tuple[Counted, ...] = VALIDATED

    def __init__(
        self,
        model: Classifier | Linear,
        data: LabelledData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        label_smoothing: Fraction = 0.0,
        class_weights: ClassWeights = None,
    ) -> None:
        super().__init__(model, data, optimizer, schedule)
        self.model: Classifier | Linear
        self.data: LabelledData
        if not 0 <= label_smoothing < 1:
            raise ConfigError(f"task.label_smoothing must be in [0, 1), got {label_smoothing}")
        check_class_weights(class_weights)
        self.label_smoothing, self.asked_weights = label_smoothing, class_weights
        self._class_weights: Tensor | None = None

    def on_fit_start(self) -> None:
        found = class_weights(self.asked_weights, self.data.classes, self.data.class_counts())
        self._class_weights = None if found is None else torch.from_numpy(found).float().to(self.device)

    def fit(self) -> tuple[float, int]:
        """Fit a linear model to the training texts."""
        texts, labels = self.data.training_texts()
        weights = None if self._class_weights is None else self._class_weights.cpu().numpy()[labels].astype(np.float64)
        return cast(Linear, self.model).fit(texts, labels, weights), len(labels)

    def loss(self, batch: LabelledBatch) -> Summed:
        real = batch.index != NO_SENTENCE
        found: Classified = self.model(*batch.inputs)
        objective, entropy = self.model.losses(found, batch.label, self.label_smoothing, self._class_weights)
        total = (objective * real).sum()
        extra = self.model.surrogate(found, batch.label, real, batch.sentences)
        if extra is not None:
            total = total + extra
        return Summed(total, int(real.sum()), {"train/loss": (entropy * real).sum()})

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

    def about(self) -> dict[str, Value]:
        return {"classes": len(self.data.classes)}

    def save_more(self, folder: Path, records: Mapping[str, Sequence[Judged]]) -> Mapping[str, Path]:
        """The confusion matrix of every split, as a table and a figure."""
        drawn = {split: save_confusion(folder, split, self.data.classes, found) for split, found in records.items()}
        return {f"{split}/confusion": path for split, path in drawn.items() if path is not None}

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
