"""Classification of documents as a task: that of texts, whose sentences a model can read one by one."""

from collections.abc import Sequence
from typing import ClassVar

from attnlab.data.documents.module import DocumentData
from attnlab.models.classifier import Classifier
from attnlab.models.hierarchical import Hierarchical
from attnlab.models.linear import Linear
from attnlab.runs.words import Words
from attnlab.tasks.classification.task import Classification
from attnlab.tasks.documents.explaining import document_words
from attnlab.tasks.explaining import About, Instances


class Documents(Classification):
    """Train, validate and test a model that tells the class of a document; settings as those of ``Classification``."""

    unit: ClassVar[str] = "documents"
    words = Words("document", "documents", "prediction", "predictions", "word", "words", "look", "looks")
    model: Hierarchical | Classifier | Linear  # type: ignore[assignment]
    data: DocumentData

    def instances_of_words(self, split: str, numbers: Sequence[int]) -> list[tuple[Instances, list[About]]]:
        return [document_words(self.model, self.data, split, numbers)]
