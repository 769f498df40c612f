"""One start of a multirun: what became of its jobs, known to the process that started it, which may be another one."""

import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from attnlab.atomic import replacing
from attnlab.bounded import read_yaml
from attnlab.cli.config.command_line import as_called, quoted
from attnlab.cli.multirun.swept import wrong_sweeps
from attnlab.errors import DataError
from attnlab.interruption import LISTENER, Interrupted, say

DONE = "done"
HOST = re.sub(r"[^\w.]+", "_", platform.node())
SOON = 0.1  # seconds
FAILED = "failed: "


class Note(NamedTuple):
    """What became of a job."""

    number: int
    overrides: str
    state: str  #: done, failed and why, or what interrupted it

    @property
    def failed(self) -> bool:
        return self.state.startswith(FAILED)


class Attempt:
    """Notes in a folder that is there as long as the multirun is at work.

    Args:
        multirun: its folder.
        side_by_side: joblib runs its jobs.
    """

    def __init__(self, multirun: Path, side_by_side: bool = False) -> None:
        self.multirun, self.side_by_side = multirun, side_by_side
        for folder in multirun.glob(f".attempt-{HOST}-*"):  # of processes that were killed
            if not alive(int(folder.name.rpartition("-")[2])):
                shutil.rmtree(folder, ignore_errors=True)
        self.folder = multirun / f".attempt-{HOST}-{os.getpid()}"
        self.stop = self.folder / "stop"  #: has the number of the signal that ends the multirun

    def note(self, number: int, overrides: str, state: str) -> None:
        with replacing(self.folder / f"{number}.json") as temporary:
            temporary.write_text(json.dumps([number, overrides, state]), "utf-8")

    @contextmanager
    def ending_its_jobs(self) -> Iterator[None]:
        """Within, a signal ends the jobs that joblib runs in other processes, and this process waits for them."""
        if self.side_by_side:
            with LISTENER.holding(self._end_jobs):
                yield
        else:
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

    def tell(self, stop: Interrupted, notes: list[Note], resumes: bool) -> None:
        """Say what was not run to its end, and how to go on."""
        lines = list(left(self.planned(), notes))
        done = sum(note.state == DONE for note in notes)
        total = f" of {done + len(lines)}" if lines else ""
        told = [f"{stop}; {done}{total} job{'s' * (done != 1)} finished", *(f"  {line}" for line in lines)]
        if resumes:
            told.append(as_called(f"to go on: python train.py -m resume={quoted(str(self.multirun))}"))
        print("\n".join(told), file=sys.stderr)

    def close(self) -> list[Note]:
        """Read the notes and take them away."""
        files = self.folder.glob("[0-9]*.json")
        found = sorted(Note(*json.loads(path.read_text("utf-8"))) for path in files)
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def planned(self) -> list[str]:
        """The overrides of all its jobs, where Hydra's own sweeper made them from a list; else nothing."""
        with suppress(DataError, OSError, HydraException, LookupError, TypeError, ValueError, AttributeError):
            hydra = read_yaml(self.multirun / "multirun.yaml")["hydra"]
            swept = (hydra["sweeper"].get("params") or {}).items()
            asked = [*(f"{key}={value}" for key, value in swept), *map(str, hydra["overrides"]["task"])]
            overrides = OverridesParser.create().parse_overrides(asked)
            if any(wrong_sweeps(overrides)):
                return []
            return [" ".join(job) for job in BasicSweeper.split_arguments(overrides, None)[0]]
        return []


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def left(planned: list[str], notes: list[Note]) -> Iterator[str]:
    """A line for each job that was not run to its end; what all have in common is left out."""
    known = {note.overrides: note for note in notes}
    jobs = list(dict.fromkeys([*planned, *known]))
    common = set.intersection(*(set(job.split(" ")) for job in jobs)) if len(jobs) > 1 else set()
    for overrides in jobs:
        state = known[overrides].state if overrides in known else "not run"
        if state != DONE:
            label = " ".join(word for word in overrides.split(" ") if word not in common)
            yield f"{label or overrides}: {state}"
