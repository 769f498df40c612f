"""Seeds of one configuration, whole runs: one after another, several processes on a GPU, by turns in one process.

    OMP_NUM_THREADS=1 python benchmarks/seeds.py [--seeds 4] [--rounds 3] [--setups default transformer] [--out file]
    python benchmarks/seeds.py --gpu [--seeds 8] [--updates 600] [--rounds 1] [--most 540]     # on a GPU, ten minutes

Every way is ``python train.py -m seed=1,…`` as a user calls it, from the first import to the last test; the ways take
turns. Told are jobs an hour by the clock, and the processor's seconds a job (of all processes), which on a machine that
others use, too, say more. Without a GPU what is asked is whether turns cost anything.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import measure

SETUPS = {"default": [], "transformer": ["experiment=grammar_transformer"]}
COMMON = [
    "logger=none", "dataset.val_size=50", "dataset.test_size=50", "trainer.max_epochs=-1",
    "callbacks.run_files.figures=0", "callbacks.attention_maps=null", "trainer.check_val_every_n_epoch=null",
]  # fmt: skip
ALONE = "one after another"
ON_A_CPU = {
    ALONE: [],
    "interleaved": ["hydra/launcher=interleaved"],
    "stacked": ["hydra/launcher=interleaved", "hydra.launcher.stacked=true"],
}
ON_A_GPU = {
    ALONE: [],
    "side by side, 4 a GPU": ["hydra/launcher=side_by_side", "jobs_per_gpu=4"],
    "side by side, 8 a GPU": ["hydra/launcher=side_by_side", "jobs_per_gpu=8"],
    "interleaved, 4 at once": ["hydra/launcher=interleaved", "hydra.launcher.seeds_at_once=4"],
    "interleaved, 8 at once": ["hydra/launcher=interleaved", "hydra.launcher.seeds_at_once=8"],
    "stacked, 4 at once": [
        "hydra/launcher=interleaved",
        "hydra.launcher.stacked=true",
        "hydra.launcher.seeds_at_once=4",
    ],
    "stacked, 8 at once": [
        "hydra/launcher=interleaved",
        "hydra.launcher.stacked=true",
        "hydra.launcher.seeds_at_once=8",
    ],
}


class Taken(NamedTuple):
    wall: float
    processor: float


def main() -> None:
    options = arguments()
    ways = {ALONE: []} | {way: words for way, words in (ON_A_GPU if options.gpu else ON_A_CPU).items()
                          if options.ways is None or way in options.ways}  # fmt: skip
    until = time.monotonic() + options.most
    rows = [line for name in options.setups for line in lines(name, ways, options, until)]
    told = f"{options.seeds} seeds of {options.updates} updates, {options.rounds} rounds; medians, ratios by round."
    measure.report("\n\n".join(["## Seeds of one configuration", measure.machine(), told, ""]), options.out)
    columns = ("run", "way", "jobs an hour", "times alone", "processor, s a job", "times alone, least to most")
    measure.report(measure.table(columns, rows) + "\n", options.out)


def lines(name: str, ways: dict[str, list[str]], options: argparse.Namespace, until: float) -> list[tuple[str, ...]]:
    """Of the table; a way for which there was no time is left out."""
    found: dict[str, list[Taken]] = {way: [] for way in ways}
    run(SETUPS[name], [], options, seeds=1, updates=1)  # reads and caches the data
    for number in range(options.rounds):
        order = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
        for way in order:
            if time.monotonic() < until:
                found[way].append(run(SETUPS[name], ways[way], options, options.seeds, options.updates))
                taken = found[way][-1]
                print(f"{name}, {way}: {taken.wall:.1f} s, processor {taken.processor:.1f} s", flush=True)
    rows = []
    for way, runs in found.items():
        if not runs:
            continue
        pairs = list(zip(runs, found[ALONE], strict=False))
        walls = statistics.median(alone.wall / mine.wall for mine, alone in pairs)
        processor = sorted(mine.processor / alone.processor for mine, alone in pairs)
        spread = f"{statistics.median(processor):.3f} ({processor[0]:.3f} to {processor[-1]:.3f})"
        hour = 3600 * options.seeds / statistics.median(mine.wall for mine in runs)
        each = statistics.median(mine.processor for mine in runs) / options.seeds
        rows.append((name, way, f"{hour:,.0f}", f"{walls:.2f}", f"{each:.2f}", spread))
    return rows


def run(words: list[str], way: list[str], options: argparse.Namespace, seeds: int, updates: int) -> Taken:
    checkout = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        cache = str(Path(tempfile.gettempdir(), "attnlab-seeds-cache"))
        environment = os.environ | {"PYTHONPATH": str(checkout / "src"), "ATTNLAB_ROOT": folder, "ATTNLAB_CACHE": cache}
        settings = [f"trainer.max_steps={updates}", f"trainer.val_check_interval={updates}"]
        command = [sys.executable, "train.py", "-m", "seed=" + ",".join(map(str, range(1, seeds + 1))), *words, *COMMON]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*command, *settings, *way, *options.settings],
            check=False, cwd=checkout, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        finished = len(list(Path(folder, "sweeps").glob("*/*/*/finished.json")))
        if done.returncode or finished < seeds:
            raise SystemExit(f"{way}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", action="store_true", help="the ways that share a GPU")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=150)
    parser.add_argument("--most", type=float, default=float("inf"), help="seconds after which no further run begins")
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=["default"])
    parser.add_argument(
        "--ways", nargs="+", choices=list(ON_A_CPU | ON_A_GPU), help="these alone, and one after another"
    )
    parser.add_argument("--settings", nargs="*", default=[], help="of train.py, for all of them")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
