"""Translation as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.tasks.translation.rehearsal import rehearse as rehearse

if TYPE_CHECKING:
    from attnlab.tasks.translation.task import Translation as Translation


def __getattr__(name: str) -> Any:
    """The task itself when it is asked for: Lightning takes seconds to import, and a rehearsal does without."""
    if name == "Translation":
        from attnlab.tasks.translation.task import Translation

        return Translation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
