"""What this process finds around it: cores, other processes, variables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # of a process that is one of several for a job


def first_process() -> bool:
    """Whether this process is the first, or the only one, of those that do one job together."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while; then it is what it was, or absent again."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
