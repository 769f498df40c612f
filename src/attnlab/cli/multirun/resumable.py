"""A run has its folder for itself; a job of a multirun that is started again is done or goes on from its checkpoint."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, open_dict

from attnlab.atomic import clear, replacing
from attnlab.cli.config.command_line import literal
from attnlab.cli.errors import MistakesError
from attnlab.cli.multirun import interleaved, side_by_side
from attnlab.cli.record import recorded
from attnlab.cli.trials import trial
from attnlab.environment import first_process
from attnlab.private.hydra import flags_parser
from attnlab.runs.ending import FINISHED, TRIAL

LAST = Path("checkpoints", "last.ckpt")
OF_THE_MULTIRUN = ("resume", "hydra.mode", "hydra.sweep", "hydra.run.dir", "hydra/launcher", "hydra.launcher",
                   "hydra/sweeper", "hydra.sweeper", "compare_after")  # fmt: skip
OF_PROCESSES = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")  # set by Lightning
NO_FOLDER = ('"', "${", "\\", "\n", "\r")  # what means something there
PATIENCE = 2.0  # seconds to wait without a word


def once(config: DictConfig, train: Callable[[DictConfig], float | None]) -> float | None:
    """Run in a folder that no other process works in, and leave word there that it is finished, or why not.

    The folder of a job of a multirun is named after the whole configuration, so what lies there is of this very job:
    a finished one is not run again. A second process that is to run the same job waits for the first one; one that
    is to run a single run in the same folder is refused.

    Returns:
        What ``train`` returned, now or earlier.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    check_name(config, folder)
    if hydra.mode is not RunMode.MULTIRUN:
        with alone(folder, wait=False), recorded(folder):
            return finish(folder, lambda: train(config), trial(config.trainer))
    with alone(folder), recorded(folder):
        check_processes(config)
        if (folder / FINISHED).is_file():
            print(f"finished before: {folder}", flush=True)
            return score_of(folder)
        if (folder / LAST).is_file():
            with open_dict(config):
                config.ckpt_path = str(folder / LAST)
            print(f"goes on from its last checkpoint: {folder}", flush=True)
        with as_single_run(config, folder):
            return finish(folder, lambda: train(config), trial(config.trainer))


def score_of(folder: Path) -> float | None:
    score: float | None = json.loads((folder / FINISHED).read_text("utf-8"))["score"]
    return score


def finish(folder: Path, train: Callable[[], float | None], trial: str | None = None) -> float | None:
    """Train, and write ``finished.json`` when that is done, with what makes it a trial, and not before."""
    marker = folder / FINISHED
    if first_process():
        marker.unlink(missing_ok=True)  # of a finished run that is prolonged
    score = train()
    if first_process():
        with replacing(marker) as temporary:
            temporary.write_text(json.dumps({"score": score, TRIAL: trial}) + "\n", "utf-8")
    return score


def check_processes(config: DictConfig) -> None:
    """Lightning starts further processes with the command line of this one, which a worker of joblib has not.

    Raises:
        MistakesError: a job of several processes in such a worker.
    """
    devices = config.trainer.devices
    shared = side_by_side.used() or interleaved.used()
    if shared and isinstance(devices, int) and devices > 1:
        launcher = HydraConfig.get().runtime.choices["hydra/launcher"]
        raise MistakesError([
            f"trainer.devices={devices} with hydra/launcher={launcher}: jobs of several processes run one after "
            "another (hydra/launcher=basic) or on a cluster; side by side, each job has one device (trainer.devices=1)"
        ])  # fmt: skip


def check_name(config: DictConfig, folder: Path) -> None:
    """Lightning writes the folder between double quotes on the command line of further processes.

    Raises:
        MistakesError: a job of several processes in a folder whose name would be read otherwise there.
    """
    devices = config.trainer.devices
    several = (isinstance(devices, int) and devices > 1) or (isinstance(devices, ListConfig) and len(devices) > 1)
    found = next((mark for mark in NO_FOLDER if mark in str(folder)), None)
    if several and found is not None:
        raise MistakesError([
            f"trainer.devices={devices}: the folder of a run of several processes has no {found!r} in its name, came "
            f"{str(folder)!r}; set ATTNLAB_ROOT, or hydra.run.dir, to another one"
        ])  # fmt: skip


@contextmanager
def alone(folder: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock of the folder, which the operating system opens again when the process dies.

    A file system without locks, or one that cannot be written, goes without.

    Raises:
        MistakesError: another process has it, and it is not to be waited for.
    """
    if not first_process():
        yield
        return
    lock = lock_of(folder.resolve())
    try:
        lock.acquire(timeout=PATIENCE if wait else 0)
    except Timeout:
        if not wait:
            raise MistakesError([
                f"another process is at work in {folder}: wait until it ends, or end it; a folder is for one at a time"
            ]) from None  # fmt: skip
        print(f"another process is at this job, so this one waits for it: {folder}", flush=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        print(f"no lock in {folder} ({error}): see to it yourself that one process works there", file=sys.stderr)
    if lock.is_locked:
        clear(folder)
    try:
        yield
    finally:
        lock.release()


def hold(folder: Path) -> None:
    """Take the lock of a folder for as long as this process lives.

    Raises:
        MistakesError: another process has it.
    """
    HELD.enter_context(alone(folder, wait=False))


HELD = ExitStack()


@cache
def lock_of(folder: Path) -> FileLock:
    """One for each folder, which a process can take as often as it likes."""
    return FileLock(folder / ".lock")


@contextmanager
def as_single_run(config: DictConfig, folder: Path) -> Iterator[None]:
    """Let the command line be that of this job alone: Lightning starts its further processes with it.

    What Lightning leaves in the environment and in torch would make the next job wait for them.
    """
    hydra, before = HydraConfig.get(), sys.argv
    kept = of_a_single_run([*hydra.overrides.hydra, *hydra.overrides.task])
    if config.ckpt_path is not None:
        kept = [text for text in kept if not text.startswith("ckpt_path=")] + [f"ckpt_path={literal(config.ckpt_path)}"]
    sys.argv = [before[0], *flags(before[1:]), *kept, "hydra.mode=RUN", f"hydra.run.dir={literal(str(folder))}"]
    environment = {name: os.environ.get(name) for name in OF_PROCESSES}
    try:
        yield
    finally:
        sys.argv = before
        leave_group(environment)


def of_a_single_run(overrides: list[str]) -> list[str]:
    """Without what is of the multirun that it is a job of."""
    return [text for text in overrides if not text.lstrip("+~").startswith(OF_THE_MULTIRUN)]


def leave_group(environment: dict[str, str | None]) -> None:
    """End what a job of several processes began."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized() and environment["WORLD_SIZE"] is None:
        torch.distributed.destroy_process_group()
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def flags(arguments: list[str]) -> list[str]:
    """What a command line says of the place of the configuration."""
    given = flags_parser().parse_args(arguments)
    named = {"--config-dir": given.config_dir, "--config-path": given.config_path, "--config-name": given.config_name}
    return [text for flag, value in named.items() if value is not None for text in (flag, value)]
