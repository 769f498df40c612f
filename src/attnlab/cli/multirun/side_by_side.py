"""Jobs of a multirun side by side on one machine, by joblib: how many, which GPU each sees, whose output is whose, and
that none outlives the multirun.

SLURM, submitit's local executor and Ray see to this themselves; joblib divides the threads of the CPU only.
"""

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TextIO

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig

from attnlab.cli.errors import MistakesError
from attnlab.environment import cores

VISIBLE = "CUDA_VISIBLE_DEVICES"
MPS, MPS_USUALLY = "CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps"  # where the multi-process service is spoken to
WATCH = 1.0  # seconds
TABLE = tuple("┏┃┡├│└┌")  # what lines of a table begin with
MOST_ON_CPU = 8  # jobs at a time: each takes about 1 GB, and with fewer than the cores each has several threads


def used() -> bool:
    """Whether joblib launches the jobs of this multirun."""
    return ".hydra_joblib_launcher." in str(HydraConfig.get().launcher._target_)


def jobs_at_a_time(per_gpu: int) -> int:
    """So many for each GPU, or one for each core where there is none: small models gain little from a second thread."""
    return len(visible()) * per_gpu or min(cores(), MOST_ON_CPU)


def check(per_gpu: int) -> None:
    """See that what shares GPUs runs side by side.

    Raises:
        MistakesError: it does not.
    """
    if per_gpu > 1 and not used():
        launcher = HydraConfig.get().runtime.choices["hydra/launcher"]
        raise MistakesError([
            f"jobs_per_gpu={per_gpu} with hydra/launcher={launcher}: jobs share a GPU where they run side by side, "
            "hydra/launcher=side_by_side"
        ])  # fmt: skip


def told_of_sharing(per_gpu: int) -> str | None:
    """What is said before several jobs share a GPU; None where there is nothing to say."""
    if per_gpu == 1:
        return None
    if not visible():
        return f"jobs_per_gpu={per_gpu}: there is no GPU; jobs run one a core"
    if not Path(os.environ.get(MPS, MPS_USUALLY), "control").exists():
        return (
            f"jobs_per_gpu={per_gpu}: jobs take turns on a GPU, as NVIDIA's multi-process service does not run; with "
            "it they run at once: nvidia-cuda-mps-control -d"
        )
    return None


@contextmanager
def at_work(folder: Path, label: str, stop: Path) -> Iterator[None]:
    """What a process of joblib does around a job.

    Args:
        folder: of the multirun.
        label: stands before each line that the job prints.
        stop: a file that has the number of a signal as soon as the multirun is to end.
    """
    end_with_parent(stop)
    take_one(folder)
    with labelled(label):
        yield


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """Within, each line that is printed says whose it is."""
    output, errors = Labelled(sys.stdout, label), Labelled(sys.stderr, label)
    try:
        with redirect_stdout(output), redirect_stderr(errors):
            yield
    finally:
        output.end()
        errors.end()


@cache
def end_with_parent(stop: Path | None = None) -> None:
    """End this process soon after the one that started it, which may be killed without a word: joblib's processes
    would finish their jobs first, beside those of the multirun that was started again, and Lightning's would wait for
    the first of them.

    Args:
        stop: a file with the number of a signal that came to that process: it comes to this one, too.
    """
    parent = os.getppid()

    def watch() -> None:
        told = False
        while os.getppid() == parent:
            if stop is not None and not told and stop.is_file():
                told = True
                os.kill(os.getpid(), int(stop.read_text("utf-8")))
            time.sleep(WATCH)
        os._exit(1)

    Thread(target=watch, name="parent", daemon=True).start()


class Labelled(io.TextIOBase):
    """A text stream that hands on whole lines, each after a label; no terminal, so nobody draws bars on it.

    Tables stay away: behind a label they are wider than a screen, and those of several jobs come mixed. Each job has
    its own in its log, and the multirun has one of all at its end.
    """

    def __init__(self, output: TextIO, label: str) -> None:
        self.output, self.label, self.rest = output, label, ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        if lines:
            plain = (line for line in lines if not line.startswith(TABLE))
            self.output.write("".join(f"{self.label} | {line}\n" for line in plain))
            self.output.flush()
        return len(text)

    def end(self) -> None:
        """Hand on what stands on a line that was not ended."""
        if self.rest:
            self.write("\n")

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.output.encoding


@cache
def take_one(folder: Path) -> str | None:
    """Let this process see a GPU that no other process of the multirun has, for as long as it lives.

    The lock goes with the process, killed or not. Processes beyond the number of GPUs share them.

    Args:
        folder: of the multirun.

    Returns:
        The GPU, as CUDA_VISIBLE_DEVICES names it; None with less than two.
    """
    gpus = visible()
    if len(gpus) < 2:
        return None
    for round_ in range(os.cpu_count() or 1):
        for gpu in gpus:
            lock = FileLock(folder / f".gpu-{gpu.replace('/', '-')}-{round_}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            HELD.append(lock)
            os.environ[VISIBLE] = gpu
            return gpu
    return None


HELD: list[FileLock] = []  # a lock is given up when nothing refers to it


def visible() -> list[str]:
    """The GPUs of this process, before CUDA is started in it."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get(VISIBLE)
    return [str(number) for number in range(count)] if named is None else named.split(",")[:count]
