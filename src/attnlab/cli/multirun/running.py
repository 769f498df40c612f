"""A multirun from its first job to what is said at its end."""

import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attnlab.cli.config.command_line import as_called, quoted
from attnlab.cli.errors import FailedJobError, first_line, report
from attnlab.cli.multirun.attempt import DONE, RUNNING, Attempt, Note
from attnlab.cli.multirun.comparing_after import compare_jobs
from attnlab.cli.multirun.progress import Progress
from attnlab.cli.multirun.side_by_side import told_of_sharing
from attnlab.console import console, visible
from attnlab.errors import StorageError
from attnlab.interruption import LISTENER, Interrupted
from attnlab.runs.ending import ending

if TYPE_CHECKING:
    from attnlab.cli.job import Job
    from attnlab.cli.multirun.summary import Summary

KILLED = "interrupted"  # without a word
MOST_ROWS = 100  # of a table on the screen


def run_jobs(job: "Job", main: Callable[[], None]) -> None:
    """Run all jobs.

    Raises:
        FailedJobError: some failed, and it has been told which.
        Interrupted: by a signal, when the jobs at work have saved and the others have been told.
    """
    attempt = job.attempt
    assert attempt is not None
    before = 0 if attempt.plan.listed else ended_before(attempt.multirun)
    progress = Progress(attempt, before, partial(keep, attempt) if job.command.resumes else None)
    if not attempt.plan.elsewhere:
        job.progress = progress
    announce(attempt)
    error: Exception | None = None
    stop: Interrupted | None = None
    try:
        with attempt.ending_its_jobs(), progress.watching() if attempt.plan.elsewhere else nullcontext():
            main()
    except Exception as failure:
        error = failure
    except Interrupted as interruption:
        stop = interruption
    except KeyboardInterrupt as interruption:  # of a launcher that made one of ours
        stop = Interrupted(LISTENER.pending or signal.SIGINT)
        stop.__cause__ = interruption
    notes = [note._replace(state=KILLED) if note.state == RUNNING else note for note in attempt.close()]
    summary = summed_up(attempt, notes) if job.command.resumes and notes else None
    print(visible(f"multirun: {attempt.multirun}"), flush=True)
    if stop is not None:
        done = str(sum(note.state == DONE for note in notes)) if summary is None else summary.counted
        tell_how_to_sync(attempt.multirun)
        tell([f"{stop}; {done}", *to_go_on(attempt, job.command.resumes)])
        raise stop
    failures = [f"{attempt.label(note.overrides, note.number)}: {note.reason}" for note in notes if note.failed]
    told = [f"{len(failures)} job{'s' * (len(failures) > 1)} failed:", *(f"  {line}" for line in failures)]
    if error is not None and not failures:
        raise error
    if error is not None and not isinstance(error, FailedJobError):  # what a sweeper or a launcher makes of it
        tell(["", f"{type(error).__name__}: {first_line(error)}"])
    if failures:  # a sweeper may have put up with them
        tell(["", *told, *to_go_on(attempt, job.command.resumes)])
    wrong = compared(attempt, summary)
    tell_how_to_sync(attempt.multirun)
    if failures:
        if wrong is not None:
            report(wrong)
        raise FailedJobError("\n".join(told))
    if wrong is not None:
        raise wrong


def announce(attempt: Attempt) -> None:
    total = attempt.plan.total
    jobs = "jobs" if total is None else f"{total} job{'s' * (total != 1)}"
    print(visible(f"{jobs} in {attempt.multirun}"), flush=True)
    if (sharing := told_of_sharing(attempt.plan.per_gpu)) is not None:
        tell([sharing])


def ended_before(multirun: Path) -> int:
    """How many jobs of a search have ended for good."""
    return sum(ending(path.parent).state in ("finished", "failed") for path in multirun.glob("*/.hydra"))


def summary_of(attempt: Attempt, notes: list[Note]) -> "Summary":
    from attnlab.cli.multirun.summary import Summary

    planned = attempt.planned() if attempt.plan.listed else []
    return Summary(attempt.multirun, attempt.plan.varying, planned, notes, ranked=not attempt.plan.listed)


def keep(attempt: Attempt, notes: list[Note]) -> None:
    """Leave the table as it is by now; where it cannot be written, that is told at the end."""
    with suppress(StorageError):
        summary_of(attempt, notes).write()


def summed_up(attempt: Attempt, notes: list[Note]) -> "Summary":
    """Print the table that closes a multirun, and keep it."""
    from attnlab.cli.multirun.summary import MARKDOWN

    found = summary_of(attempt, notes)
    terminal = console()
    print()
    if len(found.rows) <= MOST_ROWS:
        terminal.print(found.table(terminal.width))
    try:
        found.write()
        kept = f"; {attempt.multirun / MARKDOWN}" if len(found.rows) > MOST_ROWS else ""
    except StorageError as error:
        kept = f"; the table is not kept: {error}"
    print(visible(f"{found.counted}{kept}"))
    if found.best is not None and found.best.folder is not None:
        print(visible(f"best ({found.monitor}): {found.best.folder}"))
    if found.finished > 1 and not attempt.plan.compare:
        print(visible(as_called(f"to compare: python compare.py runs={quoted(str(attempt.multirun))}")))
    return found


def compared(attempt: Attempt, summary: "Summary | None") -> Exception | None:
    """The comparison of the finished jobs, where it is wanted; what went wrong with it."""
    if not attempt.plan.compare or summary is None:
        return None
    if summary.finished < 2:
        print(f"compare_after: {summary.counted}, so there is nothing to compare")
        return None
    return compare_jobs(attempt.multirun, attempt.plan.report)


def tell_how_to_sync(multirun: Path) -> None:
    """One line that uploads what W&B has recorded offline: all jobs, and the comparison; what is there is left out."""
    from attnlab.callbacks.wandb_start import sync_all  # slow to import, for what is told at the end

    if (command := sync_all(multirun)) is not None:
        print(visible(f"to upload all of it to W&B: {command}"))


def to_go_on(attempt: Attempt, resumes: bool) -> list[str]:
    line = as_called(f"to go on: python train.py -m resume={quoted(str(attempt.multirun))}")
    return [line] if resumes else []


def tell(lines: list[str]) -> None:
    print(visible("\n".join(lines)), file=sys.stderr)
