"""Classification of documents as a task: that of texts, whose sentences a model can read one by one."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from torch import nn
from torch.optim import Optimizer

from attnlab.data.documents.module import DocumentData
from attnlab.models.classifier import Classifier
from attnlab.models.linear import Linear
from attnlab.ranges import Fraction
from attnlab.runs.words import Words
from attnlab.tasks.classification.class_weights import ClassWeights
from attnlab.tasks.classification.task import Classification
from attnlab.tasks.schedules import Schedule


class Documents(Classification):
    """Train, validate and test a model that tells the class of a document.

    Args:
        model: the network: one that reads sentences and then the document, or one that reads it as one text.
        data: the documents and their classes.
        optimizer, schedule, label_smoothing, class_weights: of :class:`Classification`.
    """

    unit: ClassVar[str] = "documents"
    words = Words("document", "documents", "prediction", "predictions", "word", "words", "look", "looks")

    def __init__(
        self,
        model: Classifier | Linear,
        data: DocumentData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        label_smoothing: Fraction = 0.0,
        class_weights: ClassWeights = None,
    ) -> None:
        super().__init__(model, data, optimizer, schedule, label_smoothing, class_weights)
