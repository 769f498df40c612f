"""Classification of texts as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.tasks.classification.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.classification.task import Classification as Classification


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Classification":
        from attnlab.tasks.classification.task import Classification

        return Classification
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
