"""Classification of documents, by their sentences, as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.data.labelled.corpus import require_labelled
from attnlab.tasks.classification.rehearsal import rehearse as rehearse
from attnlab.tasks.documents.prediction import predictor as predictor

if TYPE_CHECKING:
    from attnlab.tasks.documents.task import Documents as Documents

check_corpus = require_labelled


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Documents":
        from attnlab.tasks.documents.task import Documents

        return Documents
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
