"""Kill a multirun at random moments, start it again, and see that every job ends as in one that was left alone.

    python benchmarks/kill_sweep.py [--kills 10] [--launcher basic|side_by_side] [--out file]

Each kill is SIGKILL to all processes of the multirun, at a moment drawn evenly from a part of the time that the
undisturbed one took: from its start, that of Python included, to a while after its first checkpoint, so that the kills
meet it before checkpoints and behind them, and further on every time. The clock is that of the processor, so that other
work of the machine does not matter (Linux only). Compared are every number of metrics.json that is no time, speed or
size of memory, and the translations of the test splits, byte by byte. The cache of the data begins empty both times.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OF_THE_MACHINE = ("second", "memory", "mfu")  # in the names of times, speeds, …
# Dropout, early stopping and a plateau schedule, so that what a resume may lose is there to be lost.
JOBS = ("attention=none,luong_general", "seed=1,2")
SETTINGS = (
    "logger=csv", "dataset.train_size=1200", "dataset.val_size=60", "dataset.test_size=60", "data.batch_size=32",
    "encoder.hidden_dim=32", "decoder.hidden_dim=64", "model.embedding_dim=32", "model.dropout=0.2",
    "trainer.max_epochs=4", "scheduler=plateau", "callbacks.early_stopping.patience=1",
    "callbacks.checkpoints.every_n_steps=10", "callbacks.attention_maps=null",
)  # fmt: skip


class Kill(NamedTuple):
    """What there was when the multirun was killed."""

    seconds: float  #: of the processor, since it was started
    finished: int  #: jobs
    half_done: int  #: jobs with a checkpoint
    begun: int  #: jobs without one
    at_work: bool  #: it had not ended by then


def main() -> None:
    options = arguments()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        result = compare(Path(scratch), options.kills, [f"hydra/launcher={options.launcher}", *options.settings])
    result["command"] = " ".join(["python", *sys.argv])
    text = json.dumps(result, indent=2)
    print(text)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", "utf-8")
    sys.exit(bool(result["differences"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--launcher", default="basic")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--out", type=Path)
    parser.add_argument("settings", nargs="*", help="more overrides, for all jobs")
    return parser.parse_args()


def compare(scratch: Path, kills: int, settings: list[str]) -> dict[str, object]:
    """Run one multirun undisturbed and one that is killed so many times."""
    whole, killed = scratch / "whole", scratch / "killed"
    first, duration = undisturbed(whole, settings)
    longest = first + (duration - first) * min(1.0, 4 / kills)
    record = [kill_at(killed, settings, random.uniform(0, longest)) for _ in range(kills)]
    code = start(killed, settings).wait()
    expected, found = results(whole), results(killed)
    differences = sorted(f"{job}: {key}" for job in expected.keys() | found.keys()
                         for key in differing(expected.get(job, {}), found.get(job, {})))  # fmt: skip
    return {
        "jobs": len(expected),
        "processor_seconds_to_the_first_checkpoint": round(first, 1),
        "processor_seconds_undisturbed": round(duration, 1),
        "kills": [kill._asdict() for kill in record],
        "exit_code_at_the_end": code,
        "compared_values": sum(map(len, expected.values())),
        "differences": differences + ([] if code == 0 else ["exit code"]),
    }


def undisturbed(root: Path, settings: list[str]) -> tuple[float, float]:
    """Seconds of the processor to the first checkpoint, and in all."""
    process, first, seconds = start(root, settings), 0.0, 0.0
    while process.poll() is None:
        time.sleep(0.05)
        seconds = max(seconds, used(process.pid))
        if not first and next((root / "sweep").glob("*/checkpoints/last.ckpt"), None):
            first = seconds
    if process.returncode != 0:
        sys.exit(f"the undisturbed multirun failed:\n{(root / 'log').read_text('utf-8')}")
    return first, seconds


def used(group: int) -> float:
    """Seconds of the processor that the living processes of a group have had."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def start(root: Path, settings: list[str]) -> subprocess.Popen[bytes]:
    """Start the multirun, in the same folder every time, as the head of a group of processes."""
    root.mkdir(exist_ok=True)
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        "-m",
        *JOBS,
        *SETTINGS,
        *settings,
        f"hydra.sweep.dir={root}/sweep",
    ]
    environment = os.environ | {"ATTNLAB_ROOT": str(root), "ATTNLAB_CACHE": str(root / "cache")}
    with (root / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True)


def kill_at(root: Path, settings: list[str], seconds: float) -> Kill:
    """Start the multirun and kill it when it has had so many seconds of the processor."""
    process, spent = start(root, settings), 0.0
    while process.poll() is None and spent < seconds:
        time.sleep(0.05)
        spent = max(spent, used(process.pid))
    at_work = process.poll() is None
    if at_work:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    jobs = [path.parent for path in (root / "sweep").glob("*/.hydra")]
    finished = sum((job / "finished.json").is_file() for job in jobs)
    half_done = sum((job / "checkpoints" / "last.ckpt").is_file() for job in jobs) - finished
    return Kill(round(spent, 1), finished, half_done, len(jobs) - finished - half_done, at_work)


def results(root: Path) -> dict[str, dict[str, object]]:
    """By the name of the job, which the two multiruns have in common: the numbers and the translations."""
    found: dict[str, dict[str, object]] = {}
    for path in sorted((root / "sweep").glob("*/finished.json")):
        metrics = json.loads((path.parent / "metrics.json").read_text("utf-8"))
        texts = {file.name: file.read_text("utf-8") for file in path.parent.glob("test*.jsonl")}
        kept = {key: value for key, value in metrics.items() if not any(word in key for word in OF_THE_MACHINE)}
        found[path.parent.name] = kept | texts | {"score": path.read_text("utf-8")}
    return found


def differing(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    missing = object()
    return [key for key in expected.keys() | found.keys() if expected.get(key, missing) != found.get(key, missing)]


if __name__ == "__main__":
    main()
