"""Whether a multirun grows: open files, memory and threads of one process that does many short jobs.

    python benchmarks/growth.py [none=200 csv=200 wandb=200 none,side_by_side=200] [--every 20] [--files 256]

A logger (and a launcher), and with it how many jobs.

The multirun is looked at from outside, in /proc (Linux): the least of what was seen between the ends of two jobs, so
that what a job itself holds does not count, and of that the least of the last five jobs. It may
open ``--files`` files at a time. W&B is offline; processes that it starts count with the multirun's own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import measure

ROOT = Path(__file__).parents[1]
TINY = [
    "trainer=smoke", "model.embedding_dim=8", "encoder.hidden_dim=8", "decoder.hidden_dim=16", "dataset.train_size=200",
    "dataset.val_size=20", "dataset.test_size=20", "callbacks.attention_maps.sentences=1",
    "callbacks.run_files.figures=1", "trainer.limit_train_batches=1",
]  # fmt: skip
POLL = 0.05  # seconds


class Seen(NamedTuple):
    """What a process and its descendants hold."""

    files: int
    resident: float  #: MiB
    threads: int
    processes: int


def main() -> None:
    options = arguments()
    head = "## Many short jobs in one process"
    measure.report(f"{head}\n\n{measure.machine()}\n", options.out)
    for way in options.ways:
        setting, jobs = way.split("=")
        logger, *launcher = setting.split(",")
        chosen = [f"logger={logger}", *(f"hydra/launcher={name}" for name in launcher)]
        with tempfile.TemporaryDirectory() as folder:
            rows = list(multirun(Path(folder), chosen, int(jobs), options))
        header = ("jobs ended", "open files", "resident MiB", "threads", "processes")
        allowed = f"`{' '.join(chosen)}`, {options.files} open files allowed"
        measure.report(f"{allowed}:\n", options.out)
        measure.results(f"{head}, {allowed}", header, rows, options.out)


def multirun(folder: Path, chosen: list[str], jobs: int, options: argparse.Namespace) -> Iterator[list[str]]:
    """A row whenever so many more jobs have ended."""
    seeds = ",".join(map(str, range(1, jobs + 1)))
    command = [sys.executable, str(ROOT / "train.py"), "-m", f"seed={seeds}", *chosen, *TINY]
    environment = {**os.environ, "ATTNLAB_ROOT": str(folder), "WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}
    with (folder / "output").open("w") as output:
        started = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        resource.prlimit(started.pid, resource.RLIMIT_NOFILE, (options.files, options.files))
        ended, since, jobs_seen = 0, [], []
        while started.poll() is None:
            now = look(started.pid)
            since += [now] if now else []
            found = len(list(folder.glob("sweeps/*/[0-9]*/*/finished.json")))
            if found > ended and since:
                jobs_seen.append(least(since))
                since = []
            if found // options.every > ended // options.every and jobs_seen:
                row = [str(found), *(str(min(values)) for values in zip(*jobs_seen[-5:], strict=True))]
                print(*chosen, *row, file=sys.stderr, flush=True)
                yield row
            ended = found
            time.sleep(POLL)
    ended = len(list(folder.glob("sweeps/*/[0-9]*/*/finished.json")))
    assert started.returncode == 0, (folder / "output").read_text()[-3000:]
    assert ended == jobs, f"{ended} of {jobs} jobs ended well"


def least(seen: list[Seen]) -> list[int]:
    return [round(min(values)) for values in zip(*seen, strict=True)]


def look(process: int) -> Seen | None:
    """At a process and its descendants; None where one of them is just ending."""
    try:
        family = [process, *descendants(process)]
        texts = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in family]
        status = [dict(line.split(":", 1) for line in lines if ":" in line) for lines in texts]
        files = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family)
        return Seen(
            files,
            sum(int(item.get("VmRSS", "0").split()[0]) for item in status) / 1024,
            sum(int(item["Threads"]) for item in status),
            len(family),
        )
    except (OSError, KeyError):
        return None


def descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("ways", nargs="*", default=["none=200", "csv=200", "wandb=200", "none,side_by_side=200"])
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--files", type=int, default=256)
    return parser.parse_args()


if __name__ == "__main__":
    main()
