"""Entailment as a task: whether a hypothesis follows from a premise, contradicts it, or neither."""

from typing import TYPE_CHECKING, Any

from attnlab.data.pairs.corpus import require_labels_of_pairs
from attnlab.tasks.entailment.prediction import predictor as predictor
from attnlab.tasks.entailment.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.entailment.task import Entailment as Entailment

check_corpus = require_labels_of_pairs


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Entailment":
        from attnlab.tasks.entailment.task import Entailment

        return Entailment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
