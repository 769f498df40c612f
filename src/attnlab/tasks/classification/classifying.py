"""What all tasks of classes share, of texts and of pairs: the loss, weights of classes, the confusion matrix."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.data.labelled.module import LabelledData
from attnlab.metrics.quantity import Counted
from attnlab.ranges import Fraction
from attnlab.runs.writing import Value
from attnlab.tasks.base import Task
from attnlab.tasks.classification import VALIDATED
from attnlab.tasks.classification.class_weights import ClassWeights, check_class_weights, class_weights
from attnlab.tasks.classification.confusion import Classed, save_confusion
from attnlab.tasks.objective import Summed
from attnlab.tasks.schedules import Schedule
from attnlab.types import NO_SENTENCE, ConfigError

C = TypeVar("C", bound=Classed)


class Classifying(Task[C]):
    """Train, validate and test a model that tells a class.

    Args:
        model: the network.
        data: the items and their classes.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        label_smoothing: epsilon of the smoothed cross-entropy, in training by gradients only.
        class_weights: what an item of each class counts in the loss: ``balanced``, a mapping, or None for all alike.
    """

    learns_draws = True
    quantities: tuple[Counted, ...] = VALIDATED

    def __init__(
        self,
        model: nn.Module,
        data: LabelledData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        label_smoothing: Fraction = 0.0,
        class_weights: ClassWeights = None,
    ) -> None:
        super().__init__(model, data, optimizer, schedule)
        self.model: Any
        self.data: LabelledData
        if not 0 <= label_smoothing < 1:
            raise ConfigError(f"task.label_smoothing must be in [0, 1), got {label_smoothing}")
        check_class_weights(class_weights)
        self.label_smoothing, self.asked_weights = label_smoothing, class_weights
        self._class_weights: Tensor | None = None

    def on_fit_start(self) -> None:
        found = class_weights(self.asked_weights, self.data.classes, self.data.class_counts())
        self._class_weights = None if found is None else torch.from_numpy(found).float().to(self.device)

    def loss(self, batch: Any) -> Summed:
        real = batch.index != NO_SENTENCE
        found = self.model(*batch.inputs)
        objective, entropy = self.model.losses(found, batch.label, self.label_smoothing, self._class_weights)
        total = (objective * real).sum()
        extra = self.surrogate(found, batch, real)
        if extra is not None:
            total = total + extra
        return Summed(total, int(real.sum()), {"train/loss": (entropy * real).sum()})

    def surrogate(self, found: Any, batch: Any, real: Bool[Tensor, " B"]) -> Tensor | None:
        """What weights that were drawn at random add to the objective, summed; None where none were."""
        extra: Tensor | None = self.model.surrogate(found, batch.label, real)
        return extra

    def about(self) -> dict[str, Value]:
        return {"classes": len(self.data.classes)}

    def save_more(self, folder: Path, records: Mapping[str, Sequence[C]]) -> Mapping[str, Path]:
        """The confusion matrix of every split, as a table and a figure."""
        drawn = {
            split: save_confusion(folder, split, self.data.classes, found, self.words.items)
            for split, found in records.items()
        }
        return {f"{split}/confusion": path for split, path in drawn.items() if path is not None}
