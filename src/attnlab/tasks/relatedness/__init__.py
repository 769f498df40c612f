"""Relatedness as a task: how near two sentences are, a score that people have given."""

from typing import TYPE_CHECKING, Any

from attnlab.data.pairs.corpus import require_scores
from attnlab.tasks.relatedness.prediction import predictor as predictor
from attnlab.tasks.relatedness.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.relatedness.task import Relatedness as Relatedness

check_corpus = require_scores


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Relatedness":
        from attnlab.tasks.relatedness.task import Relatedness

        return Relatedness
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
