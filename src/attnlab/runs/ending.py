"""How a run ended, as its folder says: ``finished.json``, written last, or ``failed.json``, with the reason."""

from pathlib import Path
from typing import Any, NamedTuple

from attnlab.bounded import read_json
from attnlab.errors import DataError

FINISHED = "finished.json"
FAILED = "failed.json"
TRIAL = "trial"  #: key of ``finished.json``: what made it a trial, null for a run proper
INTERRUPTED = "Interrupted"  #: error of ``failed.json`` where a signal ended the run


class Ending(NamedTuple):
    """What became of a run.

    Attributes:
        state: ``finished``, ``failed``, ``interrupted``: by a signal, killed without a word, or still at work.
        reason: on one line, why it is not finished; empty where it left no word.
        trial: the settings that made it a trial (``limit_train_batches=2``); empty for a run proper.
    """

    state: str
    reason: str = ""
    trial: str = ""

    @property
    def result(self) -> bool:
        """Whether it is one that others build on unasked: finished, and no trial."""
        return self.state == "finished" and not self.trial

    @property
    def told(self) -> str:
        """``is a trial (fast_dev_run=true)``; what keeps it from being a result, as a predicate."""
        if self.trial:
            return f"is a trial ({self.trial})"
        return f"{'was ' * (self.state == 'interrupted')}{self.state}{f' ({self.reason})' * bool(self.reason)}"


def ending(folder: Path) -> Ending:
    """How the run in a folder ended; one of an early version, which left neither file, by its scores."""
    if (folder / FINISHED).is_file():
        return Ending("finished", trial=str(_read(folder / FINISHED).get(TRIAL) or ""))
    if (folder / FAILED).is_file():
        found = _read(folder / FAILED)
        message = (str(found.get("message", "")).splitlines() or [""])[0]
        if found.get("error") == INTERRUPTED:
            return Ending("interrupted", message)
        return Ending("failed", f"{found.get('error', 'unknown')}: {message}".removesuffix(": "))
    early = (folder / "metrics.json").is_file() and "schema" not in _read(folder / "metrics.json")
    return Ending("finished" if early else "interrupted")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (DataError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
