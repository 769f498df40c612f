"""How much memory a piece of work needs beyond what it starts and ends with."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import torch

MEGABYTE = 1e6


def extra(work: Callable[..., int], *arguments: object) -> float:
    """Megabytes that ``work`` takes at its peak beyond its operands and results, in a fresh process.

    ``work`` makes its operands, calls ``mark`` (its first argument), works, and returns the bytes of its results.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (work, arguments))


def _measure(work: Callable[..., int], arguments: tuple[object, ...]) -> float:
    start: list[int] = []
    results = work(lambda: start.append(_peak()), *arguments)
    return (_peak() - start[0] - results) / MEGABYTE


def _peak() -> int:
    """High-water mark in bytes: of the GPU's tensors, or of the process (VmHWM; ru_maxrss has the parent's in it)."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
