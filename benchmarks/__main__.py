"""All benchmarks with one command, and one report of them: tables, a figure of all ratios, versions, machine.

    python -m benchmarks --list                           # what there is
    python -m benchmarks                                  # all that this machine has what it takes for; hours
    python -m benchmarks training decoding --quick        # these; minutes, and too few rounds to quote
    python -m benchmarks transformer_training --clock cpu -- --rounds 40    # its own options behind --

Each benchmark is its own script in its own process, one after another, in this environment or in that of the peers
(``.venv-peers``, see ``benchmarks/peers/setup.sh``). ``--out`` (``outputs/benchmarks/<date>_<time>`` by default) gets
``report.md``, ``ratios.png`` and ``.svg``, ``results.jsonl`` (every row of every table), and of each benchmark its own
table and all that it printed. One that fails does not stop the others; the exit code is then 1. What a benchmark needs
and this machine has not is said, and is an error only where that benchmark was named.
"""

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import measure
from ratios import Bar, bars, draw
from suite import BENCHMARKS, ROOT, Benchmark

TAIL = 15  #: last lines of a failed one that the report has


class Outcome(NamedTuple):
    """Of one benchmark."""

    name: str
    command: str
    seconds: float
    failure: str | None  #: why there are no results, or not all


def main() -> int:
    options = arguments()
    if options.list:
        print(listed())
        return 0
    named = options.names or list(BENCHMARKS)
    folder = options.out or ROOT / "outputs" / "benchmarks" / datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True, exist_ok=True)
    absent = {name: reason for name in named if (reason := BENCHMARKS[name].missing())}
    for name, reason in absent.items():
        print(f"{name}: left out, {reason}", flush=True)
    outcomes: list[Outcome] = []
    interrupted = False
    for number, name in enumerate(runnable := [name for name in named if name not in absent], 1):
        print(f"[{number}/{len(runnable)}] {name} …", end=" ", flush=True)
        try:
            outcomes.append(run(name, BENCHMARKS[name], folder, options))
        except KeyboardInterrupt:
            interrupted = True
            print("interrupted")
            break
        print(f"{outcomes[-1].failure or 'done'}, {outcomes[-1].seconds:.0f} s", flush=True)
    write(folder, outcomes, absent)
    print(f"report: {folder / 'report.md'}")
    if interrupted:
        return 130
    return int(any(one.failure for one in outcomes) or bool(options.names and absent))


def run(name: str, benchmark: Benchmark, folder: Path, options: argparse.Namespace) -> Outcome:
    """In a process of its own; all that it prints goes to ``<name>.log``."""
    out = folder / f"{name}{benchmark.suffix}"
    for path in (out, out.with_suffix(".jsonl")):
        path.unlink(missing_ok=True)  # scripts append
    words = [*benchmark.words, *(benchmark.quick if options.quick else ()), *options.words]
    environment = dict(os.environ)
    if benchmark.clock and options.clock == "cpu":
        words += ["--clock", "cpu"]
        environment["OMP_NUM_THREADS"] = "1"
    command = [str(benchmark.python), f"benchmarks/{benchmark.script}.py", *words, "--out", str(out)]
    start = time.monotonic()
    with (folder / f"{name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, check=False, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    failure = None if done.returncode == 0 else f"failed (exit code {done.returncode}, see {name}.log)"
    told = " ".join(["python", command[1], *words])
    return Outcome(name, told, time.monotonic() - start, failure)


def write(folder: Path, outcomes: list[Outcome], absent: dict[str, str]) -> None:
    """``report.md``, ``results.jsonl``, and the figure where there are ratios."""
    lines = {one.name: rows(folder / f"{one.name}.jsonl") for one in outcomes}
    together = [
        json.dumps({"name": name, **line}, ensure_ascii=False) for name, found in lines.items() for line in found
    ]
    (folder / "results.jsonl").write_text("".join(f"{line}\n" for line in together), "utf-8")
    found = [bar for name, several in lines.items() for bar in bars(name, several)]
    places = dict.fromkeys(measure.place(line) for several in lines.values() for line in several)
    parts = ["# Benchmarks", *places, f"    {shlex.join(['python', '-m', 'benchmarks', *sys.argv[1:]])}"]
    if found:
        draw(found, folder / "ratios")
        parts += ["![How many times faster attnlab is](ratios.png)", ratio_table(found)]
    parts += [summary(outcomes, absent)]
    for one in outcomes:
        parts.append(section(one, folder))
    (folder / "report.md").write_text("\n\n".join(filter(None, parts)) + "\n", "utf-8")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def ratio_table(found: list[Bar]) -> str:
    """All ratios, with their quartiles and what was promised."""
    header = ("benchmark", "of what", "times", "quartiles", "floor")
    shown = [
        (
            bar.panel,
            bar.label,
            f"{bar.median:.2f}",
            f"{bar.low:.2f} to {bar.high:.2f}",
            f"{bar.floor:g}" if bar.floor else "",
        )
        for bar in found
    ]
    return measure.table(header, shown)


def summary(outcomes: list[Outcome], absent: dict[str, str]) -> str:
    shown = [(one.name, f"`{one.command}`", f"{one.seconds:.0f}", one.failure or "done") for one in outcomes]
    shown += [(name, "", "", f"left out: {reason}") for name, reason in absent.items()]
    return measure.table(("benchmark", "command", "seconds", ""), shown)


def section(one: Outcome, folder: Path) -> str:
    """A benchmark's own tables; of a failed one the last that it printed, too."""
    table, log = folder / f"{one.name}.md", folder / f"{one.name}.log"
    printed = log.read_text("utf-8", errors="replace").splitlines()
    parts = [f"# {one.name}", BENCHMARKS[one.name].what]
    if table.is_file():
        parts.append(table.read_text("utf-8").strip())
    if one.failure or not table.is_file():
        parts.append("\n".join(["```", *(printed[-TAIL:] if one.failure else printed), "```"]))
    return "\n\n".join(parts)


def listed() -> str:
    width = max(map(len, BENCHMARKS))
    lines = []
    for name, benchmark in BENCHMARKS.items():
        lacking = benchmark.missing()
        words = f" ({' '.join(benchmark.words)})" if benchmark.words else ""
        lines.append(f"{name:{width}}  {benchmark.what}{words}" + (f" [{lacking}]" if lacking else ""))
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    words = sys.argv[1:]
    given, further = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="benchmark", help="all if none is named; see --list")
    parser.add_argument("--list", action="store_true", help="what there is")
    parser.add_argument("--quick", action="store_true", help="a trial of minutes")
    parser.add_argument(
        "--clock",
        choices=list(measure.CLOCKS),
        default="wall",
        help="cpu: of one thread, where others share the machine",
    )
    parser.add_argument("--out", type=Path, help="the folder of the report")
    options = parser.parse_args(given)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if further and len(options.names) != 1:
        parser.error("options behind -- go to one benchmark: name exactly one")
    options.words = further
    return options


if __name__ == "__main__":
    raise SystemExit(main())
