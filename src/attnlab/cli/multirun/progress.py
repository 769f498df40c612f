"""How far a multirun is: ``[7 of 36] attention=bahdanau seed=2: val/bleu 31.2, 24 s; about 12 minutes left``."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from attnlab.cli.multirun.attempt import BEFORE, DONE, RUNNING, SOON, Attempt, Note
from attnlab.console import PLACE, visible

MINUTE, HOUR = 60, 3600  # seconds
SHARE = 20  # times as long as it takes to keep the notes passes before they are kept again: of the time at most a part


class Progress:
    """Says what becomes of the jobs of a multirun, in the process that started it.

    Args:
        attempt: whose notes it reads.
        done: jobs that were ended before, of a search, which goes on with others.
        keep: is told of the notes when a job has ended, and not again for a while: who is killed leaves that.
    """

    def __init__(self, attempt: Attempt, done: int = 0, keep: Callable[[list[Note]], None] | None = None) -> None:
        self.attempt, self.done, self.keep = attempt, done, keep
        self.due = 0.0
        self.told: set[int] = set()

    def begin(self, note: Note) -> None:
        """Say which job begins; for jobs one after the other."""
        PLACE[:] = [self.place(self.done + note.number + 1)]  # what bars begin with
        print(visible(f"\n{PLACE[0]} {self.label(note)}"), flush=True)

    def end(self) -> None:
        """Say of each job that has ended how; a line each."""
        PLACE.clear()
        notes = self.attempt.notes()
        ended = [note for note in notes if note.state != RUNNING]
        for note in sorted((item for item in ended if item.number not in self.told), key=lambda item: item.seconds):
            self.told.add(note.number)
            if note.state == BEFORE and not self.attempt.plan.elsewhere:
                continue  # the job itself has said so
            line = f"{self.place(self.done + len(self.told))} {self.label(note)}: {became(note)}"
            left = remaining(notes, self.total, time.time())
            print(visible(line + (f"; about {duration(left)} left" if left else "")), flush=True)

        now = time.monotonic()
        if self.keep is not None and ended and now >= self.due:
            self.keep(notes)
            self.due = now + SHARE * (time.monotonic() - now)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, say it of jobs that run in other processes, as soon as they have ended."""
        ended = Event()

        def watch() -> None:
            while not ended.wait(SOON * 5):
                self.end()

        thread = Thread(target=watch, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.end()

    @property
    def total(self) -> int | None:
        """How many jobs are to end in this process."""
        return None if self.attempt.plan.total is None else self.attempt.plan.total - self.done

    def place(self, number: int) -> str:
        """``[7 of 36]``."""
        total = self.attempt.plan.total
        return f"[{number}{'' if total is None else f' of {total}'}]"

    def label(self, note: Note) -> str:
        return self.attempt.label(note.overrides, note.number)


def became(note: Note) -> str:
    """``val/bleu 31.2, 24 s``."""
    score = "" if note.score is None else f"{note.monitor or 'score'} {note.score:.4g}"
    if note.state == BEFORE:
        return "finished before" + f", {score}" * bool(score)
    if note.state == DONE:
        return ", ".join(part for part in (score or "finished", duration(note.seconds)) if part)
    return f"{'failed' if note.failed else note.state} after {duration(note.seconds)}"


def remaining(notes: Sequence[Note], total: int | None, now: float) -> float | None:
    """Seconds until all jobs have ended, by those that have; None where nothing can be said, or nothing is left.

    Args:
        notes: of all jobs that have begun.
        total: how many there are.
        now: seconds since the epoch.
    """
    finished = [note.seconds for note in notes if note.state == DONE]
    running = [max(now - note.started, 0.0) for note in notes if note.state == RUNNING]
    if total is None or not finished:
        return None
    waiting = max(total - len(notes), 0)
    if not waiting and not running:
        return None
    mean = sum(finished) / len(finished)
    left = [max(mean - seconds, 0.0) for seconds in running]
    return max((waiting * mean + sum(left)) / at_a_time(notes, now), *left, 1.0)


def at_a_time(notes: Sequence[Note], now: float) -> int:
    """The most jobs that were at work at once."""
    spans = [(note.started, now if note.state == RUNNING else note.started + note.seconds) for note in notes]
    return max((sum(start <= begun < end for start, end in spans) for begun, _ in spans), default=1) or 1


def duration(seconds: float) -> str:
    """``24 s``, ``12 minutes``, ``3.5 hours``."""
    if seconds < 1.5 * MINUTE:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f} minutes"
    return f"{seconds / HOUR:.1f} hours"
