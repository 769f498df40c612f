"""A folder for every run and for every multirun, under a name that is new, or found again."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from attnlab.atomic import require_place, telling
from attnlab.cli import project, quantities
from attnlab.cli.errors import MistakesError, nearest
from attnlab.cli.multirun.interleaved import Interleaved
from attnlab.cli.multirun.naming import apart, more, name
from attnlab.cli.multirun.side_by_side import jobs_at_a_time
from attnlab.private.hydra import add_launcher
from attnlab.runs.ending import ending
from attnlab.runs.multiruns import STARTED
from attnlab.runs.naming import AROUND, mechanism

LATEST = "latest"
# What a job is called, where it stands and who is told of it makes no other job of it.
NO_PART_OF_A_JOB = {"hydra", "paths", "logger", *AROUND}
NO_CHOICE_OF_A_JOB = {"hydra", "paths", "logger", "sweep", "reproduce", "experiment", "debug", "local"}


def register(multirun: Path | None = None, current: Path | None = None, conf: Path | None = None) -> None:
    """Make the project known, with its quantities, and the resolvers that the configuration uses.

    Args:
        multirun: the folder that another process has chosen for the multirun.
        current: the current folder of that process.
        conf: the user's own folder of configurations, as that process knows it.
    """
    project.set_up(current)
    add_launcher(Interleaved)
    quantities.declare(conf or project.own_configuration())
    name_jobs_by(None)
    found = sweep_folder if multirun is None else lambda *_: str(multirun)
    OmegaConf.register_new_resolver("sweep_folder", found, replace=True)
    OmegaConf.register_new_resolver("mechanism", lambda: mechanism(HydraConfig.get().runtime.choices), replace=True)
    OmegaConf.register_new_resolver("jobs_at_a_time", jobs_at_a_time, replace=True)
    stamp(datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))


def name_jobs_by(varying: Sequence[str] | None) -> None:
    """Have jobs of a multirun named after the settings that vary among them; None where that is not known."""
    OmegaConf.register_new_resolver(
        "job_folder", lambda multirun, _root_: job_folder(multirun, varying, _root_), replace=True
    )
    OmegaConf.register_new_resolver("varies", lambda: more(apart(given(), varying or ())), replace=True)


def given() -> list[str]:
    """The overrides of this job, as they were typed: ``encoder.layers=${decoder.layers}`` is a text here."""
    typed: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return [str(text) for text in typed]


def stamp(text: str) -> None:
    """Fix what ``${stamp:}`` gives: one text for all jobs of this process, so a multirun has one folder."""
    OmegaConf.register_new_resolver("stamp", lambda: text, replace=True)


def reserve(folder: Callable[[], Path]) -> Path:
    """Make the folder that ``folder()`` names, under another stamp where a job has just taken that name."""
    base = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    first = path = folder()
    for number in count(2):
        try:
            with telling(path):
                path.mkdir(parents=True)
        except FileExistsError:
            stamp(f"{base}_{number}")
            path = folder()
            if path == first:  # a fixed name, chosen by the user: results go there
                require_place(path / "metrics.json")  # if it is a folder
                return path
        else:
            return path
    raise AssertionError("count() has no end")


def sweep_folder(sweeps: str, stamp: str, resume: str | None) -> str:
    """A new folder among the multiruns of a name; with ``resume`` that of an earlier one.

    ``resume`` is ``latest``, the date and time of the multirun, or a path.
    """
    if resume is None:
        return str(Path(sweeps, stamp))
    if resume == LATEST:
        found = [path for path in Path(sweeps).glob("[!.]*/") if started(path)]
        if found:
            return str(max(found, key=started).resolve())
    inside = Path(sweeps, resume)
    return str((inside if inside.is_dir() or not Path(resume).is_dir() else Path(resume)).resolve())


def started(folder: Path) -> float:
    """When a multirun was started last; 0 for a folder that is none."""
    files = [folder / name for name in STARTED]
    return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)


def check_resume(resume: str | None, sweeps: Path, folder: Path) -> None:
    """See that there is a multirun to go on with.

    Raises:
        MistakesError: there is none.
    """
    if resume is not None and not folder.is_dir():
        there = [path.name for path in sweeps.glob("[!.]*/")] if sweeps.is_dir() else []
        raise MistakesError([f"resume={resume}: there is no such multirun; in {sweeps} {nearest(resume, there)}"])


def link_latest(sweeps: Path, folder: Path, trial: bool = False) -> None:
    """Let ``<sweeps>/latest`` lead to the folder, in one step; a file system without links goes without.

    Args:
        sweeps: where all multiruns of a name lie.
        folder: of a multirun.
        trial: nothing but trials will be in it, so that it does not take the place of one with results.
    """
    folder = folder.resolve()
    sweeps.mkdir(parents=True, exist_ok=True)
    if trial and any(ending(path.parent).result for path in (sweeps / LATEST).glob("*/.hydra")):
        return
    target = folder.name if folder.parent == sweeps.resolve() else str(folder)
    temporary = sweeps / f".{LATEST}-{os.getpid()}"
    with suppress(OSError):
        temporary.symlink_to(target, target_is_directory=True)
        temporary.replace(sweeps / LATEST)


def job_folder(multirun: str, varying: Sequence[str] | None, config: DictConfig) -> str:
    """``luong_dot_seed-2-1f9c02ab`` for a job with ``attention=luong_dot seed=2``, among others of them.

    The last part stands for everything that makes the job what it is, its whole configuration: with another
    setting, wherever it was made, it is another job in another folder. What is the same job in other words
    has the folder that is there.
    """
    digits = identity(config)
    there = sorted(path.name for path in Path(multirun).glob(f"*-{digits}"))
    settings = apart([str(text) for text in config.hydra.overrides.task], varying)
    return there[0] if there else f"{name(settings, config.get('seed'))}-{digits}"


def identity(config: DictConfig) -> str:
    """Eight digits for the configuration of a job, the same in every process."""
    parts = {key: value for key, value in config.items_ex(resolve=False) if key not in NO_PART_OF_A_JOB}
    plain = OmegaConf.to_container(OmegaConf.create(parts), resolve=False)
    choices = {str(name): option for name, option in config.hydra.runtime.choices.items()}
    chosen = {name: option for name, option in choices.items() if re.split("[/@]", name)[0] not in NO_CHOICE_OF_A_JOB}
    return hashlib.sha256(json.dumps([plain, chosen], sort_keys=True).encode()).hexdigest()[:8]
