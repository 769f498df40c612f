"""``hydra/launcher=interleaved``: jobs of a multirun that differ in their seed alone share a process, by turns.

A model of a few million parameters leaves most of a large GPU idle. Processes that share one (side_by_side) take turns
on it, unless NVIDIA's multi-process service runs; work that one process hands it on several streams runs at once.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from attnlab.cli.errors import MistakesError
from attnlab.cli.multirun.combinations import SEED
from attnlab.cli.multirun.naming import key_of
from attnlab.private.hydra import name_of
from attnlab.ranges import OneOrMore

ON_A_CPU = 100  # updates of a turn: short ones gain nothing there, and a model that comes again is not in the cache


class Interleaved(Launcher):
    """See ``conf/hydra/launcher/interleaved.yaml``.

    Raises:
        MistakesError: a number below 1.
    """

    def __init__(self, seeds_at_once: OneOrMore = 8, updates: OneOrMore | None = None, stacked: bool = False) -> None:
        for name, value in (("seeds_at_once", seeds_at_once), ("updates", updates)):
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise MistakesError([f"hydra.launcher.{name}={value}: expected a whole number from 1 on"])
        if not isinstance(stacked, bool):
            raise MistakesError([f"hydra.launcher.stacked={stacked}: expected true or false"])
        if stacked and updates is not None:
            raise MistakesError([
                f"hydra.launcher.updates={updates} with hydra.launcher.stacked=true: passes are made as one in every "
                "update; leave updates out"
            ])  # fmt: skip
        self.seeds_at_once, self.updates, self.stacked = seeds_at_once, updates, stacked

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        import torch

        from attnlab.cli.multirun.turns import Turns, by_turns, end_turn, taking
        from attnlab.models.meeting import Stack

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        found: dict[int, JobReturn] = {}
        groups = alike(job_overrides)
        if len(job_overrides) > 1 and len(groups) == len(job_overrides):
            print("hydra/launcher=interleaved: no two of these jobs differ in their seed alone; one runs after another")
        updates = self.updates or (1 if torch.cuda.is_available() else ON_A_CPU)
        for numbers in groups:
            jobs: list[Callable[[], JobReturn]] = [
                partial(self._job, job_overrides[number], initial_job_idx + number) for number in numbers
            ]
            with taking(Turns(updates, Stack(end_turn) if self.stacked else None)):
                found |= zip(numbers, by_turns(jobs, self.seeds_at_once), strict=True)
        return [found[number] for number in range(len(job_overrides))]

    def _job(self, overrides: Sequence[str], number: int) -> JobReturn:
        """A job, as Hydra's own launcher runs it."""
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        places: dict[str, Any] = {"job_dir_key": "hydra.sweep.dir", "job_subdir_key": "hydra.sweep.subdir"}
        returned = run_job(hydra_context=self.hydra_context, task_function=self.task_function, config=config, **places)
        for handler in logging.root.handlers:  # those of another job may be there when the next one has its own made
            handler.close()
        return returned


def alike(jobs: Sequence[Sequence[str]]) -> list[list[int]]:
    """The numbers of jobs that differ in their seed alone together, in the order of the first of each."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, overrides in enumerate(jobs):
        groups.setdefault(tuple(text for text in overrides if key_of(text) != SEED), []).append(number)
    return list(groups.values())


def used() -> bool:
    """Whether jobs of this multirun take turns."""
    return target(HydraConfig.get().launcher) == name_of(Interleaved)


def in_this_process(launcher: Any) -> bool:
    """Whether a launcher runs jobs in the process of the multirun."""
    found = target(launcher)
    return found.endswith(".BasicLauncher") or found == name_of(Interleaved)


def target(launcher: Any) -> str:
    return str(OmegaConf.select(launcher, "_target_"))
