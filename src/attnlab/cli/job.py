"""What Hydra calls for each run of a command, in this process or in one that a launcher started."""

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from attnlab.callbacks.atomic import replacing
from attnlab.cli import folders, side_by_side
from attnlab.cli.check import check
from attnlab.cli.errors import FailedJobError, MistakesError, Stop, first_line, report, user_error
from attnlab.environment import variable

if TYPE_CHECKING:
    from attnlab.cli.app import Command

FULL_ERROR = "HYDRA_FULL_ERROR"


class Job:
    """Check the configuration of a run and hand it to the command.

    Args:
        command: to be run.
        groups: names of all config groups.
        folder: of the multirun; None for a single run.
        asked: the overrides of the command line.
    """

    def __init__(self, command: "Command", groups: set[str], folder: Path | None, asked: Sequence[str]) -> None:
        self.command, self.groups, self.asked = command, groups, asked
        self.folder = folder.absolute() if folder is not None else None
        self.full = os.environ.get(FULL_ERROR, "0")
        self.attempt = secrets.token_hex(4)
        self.elsewhere = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a process of a launcher: the configuration's resolvers are to be known before it is composed."""
        self.__dict__.update(state)
        self.elsewhere = True
        folders.register(self.folder)

    def __call__(self, config: DictConfig) -> float | None:
        if not (self.elsewhere and side_by_side.used()):
            return self._run(config)
        assert self.folder is not None
        with side_by_side.at_work(self.folder, self.label):
            return self._run(config)

    def _run(self, config: DictConfig) -> float | None:
        try:
            if mistakes := list(check(config, self.command.options, self.groups)):
                raise MistakesError(mistakes)
            with variable(FULL_ERROR, self.full):  # for the processes that Lightning starts with this command line
                return self.command.run(config)
        except Exception as error:
            if HydraConfig.get().mode is not RunMode.MULTIRUN:
                raise Stop(error) from error
            report(error)  # now: the other jobs go on, perhaps for hours
            reason = first_line(user_error(error) or error)
            self._note(reason)
            raise FailedJobError(reason) from error

    @property
    def label(self) -> str:
        """What sets this job of a multirun apart: ``attention=bahdanau seed=2``."""
        hydra = HydraConfig.get()
        return " ".join(line for line in hydra.overrides.task if line not in self.asked) or f"job {hydra.job.num}"

    def _note(self, reason: str) -> None:
        """Leave word for the process that started the multirun, which may be another one."""
        assert self.folder is not None
        hydra = HydraConfig.get()
        with replacing(self._failures / f"{hydra.job.num}.json") as temporary:
            line = f"{' '.join(hydra.overrides.task)}: {reason}"
            temporary.write_text(json.dumps([hydra.job.num, line]), "utf-8")

    @property
    def _failures(self) -> Path:
        assert self.folder is not None
        return self.folder / f".failed-{self.attempt}"

    def failures(self) -> list[str]:
        """A line for each job that failed since the multirun was started, in the order of the jobs."""
        if self.folder is None:
            return []
        files = list(self._failures.glob("[0-9]*.json"))
        found = sorted(json.loads(path.read_text("utf-8")) for path in files)
        for path in files:
            path.unlink()
        if files:
            self._failures.rmdir()
        return [line for _, line in found]
