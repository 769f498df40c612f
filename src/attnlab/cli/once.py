"""Jobs of a multirun that is started again: a finished one is done, a half-done one goes on from its checkpoint."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from attnlab.callbacks.atomic import replacing
from attnlab.cli import side_by_side
from attnlab.cli.errors import MistakesError
from attnlab.strict_json import dumps

FINISHED = "finished.json"  # written last, whole or not at all
LAST = Path("checkpoints", "last.ckpt")
OF_THE_MULTIRUN = ("resume", "hydra.mode", "hydra.sweep", "hydra.run.dir", "hydra/launcher", "hydra.launcher",
                   "hydra/sweeper", "hydra.sweeper")  # fmt: skip
OF_PROCESSES = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")  # set by Lightning
PATIENCE = 2.0  # seconds to wait without a word
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # of a process that is one of several for a job


def once(config: DictConfig, train: Callable[[DictConfig], float | None]) -> float | None:
    """Run a job whose folder is its own, unless it is finished.

    The folder is named after the whole configuration, so what lies there is of this very job. A second process
    that is to run the same job waits for the first one.

    Returns:
        What ``train`` returned, now or earlier.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    check_processes(config)
    with alone(folder):
        marker = folder / FINISHED
        if marker.is_file():
            print(f"finished before: {folder}", flush=True)
            score: float | None = json.loads(marker.read_text("utf-8"))["score"]
            return score
        for half_written in (folder / LAST).parent.glob(".*.ckpt"):
            half_written.unlink()
        if (folder / LAST).is_file():
            with open_dict(config):
                config.ckpt_path = str(folder / LAST)
            print(f"goes on from its last checkpoint: {folder}", flush=True)
        with as_single_run(config, folder):
            score = train(config)
        if first_process():
            with replacing(marker) as temporary:
                temporary.write_text(dumps({"score": score}) + "\n", "utf-8")
        return score


def check_processes(config: DictConfig) -> None:
    """Lightning starts further processes with the command line of this one, which a worker of joblib has not.

    Raises:
        MistakesError: a job of several processes in such a worker.
    """
    devices = config.trainer.devices
    if side_by_side.used() and isinstance(devices, int) and devices > 1:
        launcher = HydraConfig.get().runtime.choices["hydra/launcher"]
        raise MistakesError([
            f"trainer.devices={devices} with hydra/launcher={launcher}: jobs of several processes run one after "
            "another (hydra/launcher=basic) or on a cluster; side by side, each job has one device (trainer.devices=1)"
        ])  # fmt: skip


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a lock of the job, which the operating system opens again when the process dies."""
    if not first_process():
        yield
        return
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        print(f"another process is at this job, so this one waits for it: {folder}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def first_process() -> bool:
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


@contextmanager
def as_single_run(config: DictConfig, folder: Path) -> Iterator[None]:
    """Let the command line be that of this job alone: Lightning starts its further processes with it.

    What Lightning leaves in the environment and in torch would make the next job wait for them.
    """
    hydra, before = HydraConfig.get(), sys.argv
    settings = [*hydra.overrides.hydra, *hydra.overrides.task]
    kept = [text for text in settings if not text.lstrip("+~").startswith(OF_THE_MULTIRUN)]
    if config.ckpt_path is not None:
        kept = [text for text in kept if not text.startswith("ckpt_path=")] + [f"ckpt_path='{config.ckpt_path}'"]
    sys.argv = [before[0], *flags(before[1:]), *kept, "hydra.mode=RUN", f"hydra.run.dir='{folder}'"]
    environment = {name: os.environ.get(name) for name in OF_PROCESSES}
    try:
        yield
    finally:
        sys.argv = before
        leave_group(environment)


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
    from hydra._internal.utils import get_args_parser

    given = get_args_parser().parse_args(arguments)
    named = {"--config-dir": given.config_dir, "--config-path": given.config_path, "--config-name": given.config_name}
    return [text for flag, value in named.items() if value is not None for text in (flag, value)]
