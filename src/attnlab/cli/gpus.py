"""One GPU a process, where joblib runs the jobs of a multirun side by side on a machine with several.

SLURM, submitit's local executor and Ray give out GPUs themselves; joblib divides the threads of the CPU only.
"""

import os
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

VISIBLE = "CUDA_VISIBLE_DEVICES"


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
