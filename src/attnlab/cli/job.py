"""What Hydra calls for each run of a command, in this process or in one that a launcher started."""

import gc
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from attnlab.cli import folders
from attnlab.cli.config.check import check
from attnlab.cli.config.command_line import as_called, quoted
from attnlab.cli.errors import FailedJobError, MistakesError, Stop, first_line, in_short, report, user_error
from attnlab.cli.multirun import interleaved, side_by_side
from attnlab.cli.multirun.attempt import BEFORE, DONE, FAILED, RUNNING, Attempt, Note
from attnlab.cli.multirun.progress import Progress
from attnlab.cli.record import recorded
from attnlab.console import visible
from attnlab.environment import first_process, variable
from attnlab.interruption import LISTENER, Interrupted
from attnlab.private.sacrebleu import clear_caches
from attnlab.runs.ending import FINISHED

if TYPE_CHECKING:
    from attnlab.cli.app import Command
    from attnlab.cli.config.compose import Composer

FULL_ERROR = "HYDRA_FULL_ERROR"
TOLD = "told"  # attribute of an interruption that the user has read of


class Job:
    """Check the configuration of a run and hand it to the command.

    Args:
        command: to be run.
        groups: names of all config groups.
        attempt: at the multirun; None for a single run.
        asked: the overrides of the command line.
        folder: of the run or of the multirun; None where something is only shown.
        conf: the user's own folder of configurations, if there is one.
        composer: has checked a single run, and composes it once more.
    """

    def __init__(
        self,
        command: "Command",
        groups: set[str],
        attempt: Attempt | None,
        asked: Sequence[str],
        folder: Path | None = None,
        conf: Path | None = None,
        composer: "Composer | None" = None,
    ) -> None:
        self.composer = composer
        self.command, self.groups, self.attempt, self.asked = command, groups, attempt, asked
        self.folder, self.conf = folder, conf
        self.full = os.environ.get(FULL_ERROR, "0")
        self.tracebacks = False  #: whether the user wants to see them, all of them
        self.current, self.typed = Path.cwd(), list(sys.argv)
        self.elsewhere = False
        self.progress: Progress | None = None  #: of a multirun, in the process that started it
        if attempt is not None:
            folders.name_jobs_by(attempt.plan.varying)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"progress": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a process of a launcher: the configuration's resolvers are to be known before it is composed.

        Its command line may be the launcher's own (Ray's is), and a job of several processes is started by ours.
        """
        self.__dict__.update(state)
        sys.argv = list(self.typed)
        self.elsewhere = True
        folders.register(None if self.attempt is None else self.attempt.multirun, self.current, self.conf)
        folders.name_jobs_by(None if self.attempt is None else self.attempt.plan.varying)

    def __call__(self, config: DictConfig) -> float | None:
        if not self.elsewhere:
            return self._run(config)
        with LISTENER.listening():
            return self._run_side_by_side(config) if side_by_side.used() else self._run(config)

    def _run_side_by_side(self, config: DictConfig) -> float | None:
        """A job that a signal ends does so without an error: joblib would kill the others, which are saving."""
        assert self.attempt is not None
        with (
            self.attempt.at_work(HydraConfig.get().job.num) as may_begin,
            side_by_side.at_work(self.attempt.multirun, self.label, self.attempt.stop),
        ):
            try:
                return self._run(config) if may_begin else None
            except Interrupted:
                return None

    def _run(self, config: DictConfig) -> float | None:
        """Run, and let go of everything: Hydra keeps what a job of a multirun raises until the last one has ended."""
        try:
            return self._checked(config)
        except FailedJobError as error:
            reason = str(error)
        finally:
            if HydraConfig.get().mode is RunMode.MULTIRUN:
                clear_caches()
                gc.collect()  # a trainer and its callbacks know each other, and hold files and memory maps
        raise FailedJobError(reason)  # behind the block: without the traceback, whose frames hold all that the job had

    def _checked(self, config: DictConfig) -> float | None:
        if "LOCAL_RANK" in os.environ:  # started by another one, as one of several
            side_by_side.end_with_parent()
        note = self._begin(config)
        try:
            self._check(config)
            with variable(FULL_ERROR, self.full), self._labelled():  # for the processes that Lightning starts
                score = self.command.run(config)
            self._end(note, score=score, state=note.state if note.state == BEFORE else DONE)
            return score
        except Interrupted as stop:
            self._end(note, state=str(stop))
            if self.attempt is None and self.command.resumes:
                setattr(stop, TOLD, True)
                tell_how_to_go_on(stop, Path(HydraConfig.get().runtime.output_dir))
            raise
        except Exception as error:
            if HydraConfig.get().mode is not RunMode.MULTIRUN:
                raise Stop(error) from error
            with self._labelled():
                self._tell(error)  # now: the other jobs go on, perhaps for hours
            reason = first_line(user_error(error) or error)
            self._end(note, state=f"{FAILED}{reason}")
            raise FailedJobError(reason) from error

    def _labelled(self) -> AbstractContextManager[None]:
        """Around what a job prints that takes turns with others: each line says whose it is."""
        return side_by_side.labelled(self.label) if self.attempt is not None and interleaved.used() else nullcontext()

    def _tell(self, error: Exception) -> None:
        """Say why a job of a multirun failed; the traceback of a bug is left to its log."""
        if self.tracebacks or not self.command.resumes or user_error(error) is not None:
            report(error, self.tracebacks)
        else:
            log = Path(HydraConfig.get().runtime.output_dir, f"{HydraConfig.get().job.name}.log")
            print(visible(f"{in_short(error)}\ntraceback: {log}"), file=sys.stderr)

    def _check(self, config: DictConfig) -> None:
        """See that the configuration is in order; a job of a multirun leaves the reason where it is not.

        Raises:
            MistakesError: everything that is wrong.
        """
        mistakes = list(check(config, HydraConfig.get(), self.command.options, self.groups))
        if mistakes and self.attempt is not None and self.command.resumes:
            with recorded(Path(HydraConfig.get().runtime.output_dir)):
                raise MistakesError(mistakes)
        if mistakes:
            raise MistakesError(mistakes)

    @property
    def label(self) -> str:
        """What sets this job of a multirun apart: ``attention=bahdanau seed=2``."""
        assert self.attempt is not None
        hydra = HydraConfig.get()
        return self.attempt.label(hydra.overrides.task, hydra.job.num)

    def _begin(self, config: DictConfig) -> Note:
        """Leave word that a job of a multirun is at work."""
        hydra, folder = HydraConfig.get(), Path(HydraConfig.get().runtime.output_dir)
        number = 0 if self.attempt is None else hydra.job.num
        note = Note(number, [str(text) for text in hydra.overrides.task], RUNNING, str(folder), time.time(),
                    monitor=str(config.get("monitor") or ""))  # fmt: skip
        if self.attempt is not None:
            self.attempt.note(note)
            if self.progress is not None:
                self.progress.begin(note)
        return note._replace(state=BEFORE) if self.command.resumes and (folder / FINISHED).is_file() else note

    def _end(self, note: Note, state: str, score: float | None = None) -> None:
        """Leave word how it ended."""
        if self.attempt is not None:
            self.attempt.note(note._replace(state=state, seconds=time.time() - note.started, score=score))
            if self.progress is not None:
                self.progress.end()


def tell_how_to_go_on(stop: Interrupted, folder: Path) -> None:
    if first_process():
        print(as_called(f"{stop}: {folder}\nto go on: python train.py resume={quoted(str(folder))}"), file=sys.stderr)
