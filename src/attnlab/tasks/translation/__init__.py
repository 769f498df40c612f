"""Translation as a task."""

from typing import TYPE_CHECKING, Any

from attnlab.data.corpus import require_pairs
from attnlab.tasks.translation.quantities import VALIDATED as VALIDATED
from attnlab.tasks.translation.quantities import check_monitor as check_monitor

if TYPE_CHECKING:
    from attnlab.tasks.translation.rehearsal import rehearse as rehearse
    from attnlab.tasks.translation.task import Translation as Translation

check_corpus = require_pairs


def __getattr__(name: str) -> Any:
    """What takes long to import when it is asked for: torch a second, Lightning more; a rehearsal does without that."""
    if name == "Translation":
        from attnlab.tasks.translation.task import Translation

        return Translation
    if name == "rehearse":
        from attnlab.tasks.translation.rehearsal import rehearse

        return rehearse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
