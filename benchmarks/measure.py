"""Timing on a machine that others use too: competitors take turns batch by batch, and ratios are of medians.

A slow second hits all competitors alike, since each runs once a round, in an order that turns by one every round.
"""

import argparse
import datetime
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

Seconds = dict[str, list[float]]
PACKAGES = ("attnlab", "pytorch-lightning", "joeynmt", "OpenNMT-py", "numpy")


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def interleave(runs: Mapping[str, Callable[[int], object]], rounds: int, warm: int = 0, clock: str = "wall") -> Seconds:
    """Seconds of every competitor in every round; ``runs`` get the number of the round, the same for all.

    ``clock="cpu"`` counts the processor's seconds. With one thread that is what the work takes on a machine to itself,
    however many others share it; with several threads it counts their waiting too.
    """
    read = CLOCKS[clock]
    seconds: Seconds = {name: [] for name in runs}
    names = list(runs)
    gc.collect()
    gc.disable()  # a collection would hit one of them
    try:
        for number in range(warm + rounds):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                start = read()
                runs[name](number)
                taken = read() - start
                if number >= warm:
                    seconds[name].append(taken)
            if number % 20 == 0:
                gc.collect()
    finally:
        gc.enable()
    return seconds


def rates(seconds: Sequence[float], work: Sequence[float]) -> list[float]:
    """Work done a second, by round."""
    return [w / s for w, s in zip(work, seconds, strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """How many times faster: ratio of the medians of the rates, and the quartiles of the ratio by round."""
    by_round = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    low, high = by_round[len(by_round) // 4], by_round[(3 * len(by_round)) // 4]
    return f"{statistics.median(ours) / statistics.median(theirs):.2f} ({low:.2f} to {high:.2f})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """Date, device, versions and command: what every table needs beside it."""
    versions = [f"torch {torch.__version__}"]  # with its build, which a wheel's metadata may leave out
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    return (
        f"{datetime.date.today()}; {device()}; Python {platform.python_version()}, {', '.join(versions)}\n\n"
        f"    {command}"
    )


def device() -> str:
    """The GPU where there is one, else the processor and the threads that torch uses."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"CPU {model} ({torch.backends.cpu.get_cpu_capability()}), {torch.get_num_threads()} threads"


def parser(doc: str | None) -> argparse.ArgumentParser:
    """With what every command that reports a table can be told."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, help="a Markdown file to append to")
    return made


def timer(doc: str | None, rounds: int | None = None) -> argparse.ArgumentParser:
    """``parser`` of a command that reads one of ``CLOCKS``, and takes rounds where a default is given."""
    made = parser(doc)
    made.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: with OMP_NUM_THREADS=1")
    if rounds is not None:
        made.add_argument("--rounds", type=int, default=rounds)
    return made


def time_and_memory(
    size: str, runs: Mapping[str, Callable[[int], object]], extra: Callable[[str], float], options: argparse.Namespace
) -> list[tuple[str, ...]]:
    """A row a competitor, ours first: milliseconds, ``extra`` megabytes, and how many times faster ours is."""
    seconds = interleave(runs, options.rounds, 1, options.clock)
    by_name = {name: rates(taken, [1.0] * options.rounds) for name, taken in seconds.items()}
    ours, rows = next(iter(runs)), []
    for name in runs:
        times = "" if name == ours else ratio(by_name[ours], by_name[name])
        rows.append((size, name, f"{1000 * statistics.median(seconds[name]):,.0f}", f"{extra(name):,.0f}", times))
    return rows


def report(text: str, file: Path | None) -> None:
    """Print, and append to a file where one is named."""
    print(text, flush=True)
    if file is not None:
        with file.open("a", encoding="utf-8") as out:
            out.write(text + "\n")
