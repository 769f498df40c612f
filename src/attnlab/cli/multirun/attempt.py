"""One start of a multirun: what became of its jobs, known to the process that started it, which may be another one."""

import json
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from attnlab.atomic import replacing
from attnlab.bounded import read_yaml
from attnlab.cli.multirun.naming import apart, label, rounded
from attnlab.cli.multirun.plan import Plan
from attnlab.cli.multirun.swept import wrong_sweeps
from attnlab.errors import DataError
from attnlab.interruption import LISTENER, Interrupted, say
from attnlab.private.hydra import jobs_of
from attnlab.runs.multiruns import HYDRAS

RUNNING, DONE, BEFORE = "at work", "done", "before"
HOST = re.sub(r"[^\w.]+", "_", platform.node())
SOON = 0.1  # seconds
FAILED = "failed: "


class Note(NamedTuple):
    """What is known of a job."""

    number: int
    overrides: Sequence[str]
    state: str  #: at work, done, before (finished when the multirun was started), failed and why, what interrupted it
    folder: str = ""
    started: float = 0.0  #: seconds since the epoch
    seconds: float = 0.0  #: that it took
    monitor: str = ""  #: what its score is
    score: float | None = None

    @property
    def failed(self) -> bool:
        return self.state.startswith(FAILED)

    @property
    def reason(self) -> str:
        """Why it failed, on one line; empty where it did not."""
        return self.state.removeprefix(FAILED) if self.failed else ""


class Attempt:
    """Notes in a folder that is there as long as the multirun is at work.

    Args:
        multirun: its folder.
        side_by_side: joblib runs its jobs.
        plan: what it is going to run.
    """

    def __init__(self, multirun: Path, side_by_side: bool = False, plan: Plan = Plan()) -> None:  # noqa: B008
        self.multirun, self.side_by_side, self.plan = multirun, side_by_side, plan
        for folder in multirun.glob(f".attempt-{HOST}-*"):  # of processes that were killed
            if not alive(int(folder.name.rpartition("-")[2])):
                shutil.rmtree(folder, ignore_errors=True)
        self.folder = multirun / f".attempt-{HOST}-{os.getpid()}"
        self.stop = self.folder / "stop"  #: has the number of the signal that ends the multirun

    def note(self, note: Note) -> None:
        with replacing(self.folder / f"{note.number}.json") as temporary:
            temporary.write_text(json.dumps(note), "utf-8")

    def notes(self) -> list[Note]:
        """Of the jobs that have begun, by their numbers."""
        files = self.folder.glob("[0-9]*.json")
        return sorted(Note(*json.loads(path.read_text("utf-8"))) for path in files)

    def label(self, overrides: Sequence[str], number: int) -> str:
        """What sets a job apart: ``attention=bahdanau seed=2``."""
        settings = apart(overrides, self.plan.varying)
        return label({key: rounded(value) for key, value in settings.items()}) or f"job {number + 1}"

    @contextmanager
    def ending_its_jobs(self) -> Iterator[None]:
        """Within, a signal ends the jobs that joblib runs in other processes, and this process waits for them; for
        those of other launchers it waits no more.
        """
        if not self.side_by_side and not self.plan.elsewhere:
            yield
            return
        with LISTENER.holding(self._end_jobs if self.side_by_side else self._wait_no_more):
            yield

    @contextmanager
    def at_work(self, number: int) -> Iterator[bool]:
        """Around a job in another process; whether it may begin."""
        marker = self.folder / f"{number}.at_work"
        self.folder.mkdir(exist_ok=True)
        marker.touch()
        try:
            yield not self.stop.is_file()
        finally:
            marker.unlink(missing_ok=True)

    def _end_jobs(self, signum: int) -> None:
        """Have the jobs at work save, wait for them, and leave: what the sweeper has not heard of is run again."""
        say("ends as soon as the jobs at work have saved; the signal once more ends it at once")
        with replacing(self.stop) as temporary:
            temporary.write_text(str(signum), "utf-8")
        while any(self.folder.glob("*.at_work")):
            time.sleep(SOON)
        LISTENER.leave()

    @staticmethod
    def _wait_no_more(_: int) -> None:
        """Leave a launcher that waits for jobs elsewhere: Ray's knows KeyboardInterrupt and swallows all else."""
        try:
            LISTENER.leave()
        except Interrupted as stop:
            raise KeyboardInterrupt from stop

    def close(self) -> list[Note]:
        """Read the notes and take them away."""
        found = self.notes()
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def planned(self) -> list[list[str]]:
        """The overrides of all its jobs, where Hydra's own sweeper made them from a list; else nothing."""
        with suppress(DataError, OSError, HydraException, LookupError, TypeError, ValueError, AttributeError):
            hydra = read_yaml(self.multirun / HYDRAS)["hydra"]
            swept = (hydra["sweeper"].get("params") or {}).items()
            asked = [*(f"{key}={value}" for key, value in swept), *map(str, hydra["overrides"]["task"])]
            overrides = OverridesParser.create().parse_overrides(asked)
            if any(wrong_sweeps(overrides)):
                return []
            return [list(job) for job in jobs_of(overrides)]
        return []


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
