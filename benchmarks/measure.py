"""Timing on a machine that others use too: competitors take turns batch by batch, and ratios are of medians.

A slow second hits all competitors alike, since each runs once a round, in an order that turns by one every round.
"""

import argparse
import datetime
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import torch

Seconds = dict[str, list[float]]
PACKAGES = ("attnlab", "pytorch-lightning", "joeynmt", "OpenNMT-py", "ctranslate2", "numpy")
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


class Number(float):
    """A number that a table shows rounded and its data keep whole."""

    style: str

    def __new__(cls, value: float, style: str) -> "Number":
        made = super().__new__(cls, value)
        made.style = style
        return made

    def __str__(self) -> str:
        return format(float(self), self.style)


class Ratio(NamedTuple):
    """How many times faster: the ratio of the medians, and the quartiles of the ratio by round."""

    median: float
    low: float
    high: float
    floor: float | None = None  #: what the project promises, where it does

    def __str__(self) -> str:
        promised = "" if self.floor is None else f", floor {self.floor:g}"
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f}){promised}"


def ratio(ours: Sequence[float], theirs: Sequence[float], floor: float | None = None) -> Ratio:
    """Of the medians of two competitors' rates."""
    by_round = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    low, high = by_round[len(by_round) // 4], by_round[(3 * len(by_round)) // 4]
    return Ratio(statistics.median(ours) / statistics.median(theirs), low, high, floor)


Cell = str | Number | Ratio


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def results(title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], file: Path | None) -> None:
    """Report a table; beside a file that is named, its rows are appended as JSON, a line each, to ``.jsonl``, too."""
    report(table(header, rows) + "\n", file)
    if file is None:
        return
    told = {"benchmark": Path(sys.argv[0]).stem, "title": title.lstrip("# "), **circumstances()}
    with file.with_suffix(".jsonl").open("a", encoding="utf-8") as out:
        for row in rows:
            cells = {name: plain(cell) for name, cell in zip(header, row, strict=True) if cell != ""}
            out.write(json.dumps({**told, "row": cells}, ensure_ascii=False) + "\n")


def plain(cell: Cell) -> Any:
    """As JSON has it."""
    if isinstance(cell, Ratio):
        return {name: value for name, value in cell._asdict().items() if value is not None}
    return float(cell) if isinstance(cell, Number) else cell


def circumstances() -> dict[str, Any]:
    """Date, device, versions and command."""
    versions = {"Python": platform.python_version(), "torch": torch.__version__}  # with its build, unlike its metadata
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    return {"date": str(datetime.date.today()), "device": device(), "versions": versions, "command": command}


def machine() -> str:
    """``circumstances`` in words: what every table needs beside it."""
    told = circumstances()
    return f"{place(told)}\n\n    {told['command']}"


def place(told: dict[str, Any]) -> str:
    """When, where and with which versions."""
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    return f"{told['date']}; {told['device']}; {versions}"


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
) -> list[tuple[Cell, ...]]:
    """A row a competitor, ours first: milliseconds, ``extra`` megabytes, and how many times faster ours is."""
    seconds = interleave(runs, options.rounds, 1, options.clock)
    by_name = {name: rates(taken, [1.0] * options.rounds) for name, taken in seconds.items()}
    ours, rows = next(iter(runs)), []
    for name in runs:
        times = "" if name == ours else ratio(by_name[ours], by_name[name])
        milliseconds = Number(1000 * statistics.median(seconds[name]), ",.0f")
        rows.append((size, name, milliseconds, Number(extra(name), ",.0f"), times))
    return rows


def report(text: str, file: Path | None) -> None:
    """Print, and append to a file where one is named."""
    print(text, flush=True)
    if file is not None:
        with file.open("a", encoding="utf-8") as out:
            out.write(text + "\n")
