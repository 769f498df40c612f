"""Is training as fast as it was? The same runs by two checkouts in turn, in processor seconds a step.

    git worktree add ../before 39e2a9e
    python benchmarks/before_after.py ../before [--after .] [--pairs 7] [--setups default …] [--out file]

One thread, so that the seconds of a step do not depend on who else is at work; which of the two is first changes from
pair to pair. A step is all between the ends of two batches: loading, forward, backward, clipping, optimizer, logging.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import measure

SETUPS = {
    "default": [],
    "bahdanau": ["attention=bahdanau"],
    "transformer": ["experiment=grammar_transformer"],
}
COMMON = [
    "logger=none", "dataset.train_size=4000", "dataset.val_size=20", "dataset.test_size=20", "trainer.max_epochs=-1",
    "trainer.limit_val_batches=0", "callbacks.run_files.figures=0", "callbacks.attention_maps=null",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("--after", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--warm", type=int, default=20)
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=list(SETUPS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = [row(name, options) for name in options.setups]
    head = "## Training before and after, one thread"
    steps = f"{options.steps - options.warm} steps after {options.warm} warm ones, {options.pairs} pairs in turn."
    measure.report("\n\n".join([head, measure.machine(), f"Processor time; {steps}", ""]), options.out)
    columns = ("run", "before, ms a step", "after, ms a step", "after / before, median of pairs", "least to most")
    measure.results(head, columns, rows, options.out)


def row(name: str, options: argparse.Namespace) -> tuple[str, ...]:
    found: dict[Path, list[float]] = {options.before: [], options.after: []}
    for pair in range(options.pairs):
        for checkout in list(found)[:: 1 if pair % 2 else -1]:
            found[checkout].append(seconds(checkout.resolve(), SETUPS[name], options))
        print(name, *(f"{1000 * taken[-1]:.1f}" for taken in found.values()), flush=True)
    before, after = found.values()
    ratios = [b / a for a, b in zip(before, after, strict=True)]
    told = [f"{1000 * statistics.median(taken):.1f}" for taken in (before, after)]
    return name, *told, f"{statistics.median(ratios):.3f}", f"{min(ratios):.3f} to {max(ratios):.3f}"


def seconds(checkout: Path, words: list[str], options: argparse.Namespace) -> float:
    """Of a step, by a run of this checkout in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seconds"
        clock = [
            "+callbacks.clock._target_=processor_clock.ProcessorClock",
            f"+callbacks.clock.path={path}",
            f"+callbacks.clock.warm={options.warm}",
        ]
        paths = os.pathsep.join([str(checkout / "src"), str(Path(__file__).parent)])
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ATTNLAB_ROOT": folder}
        run = [sys.executable, "train.py", *words, *COMMON, f"trainer.max_steps={options.steps}", *clock]
        done = subprocess.run(run, check=False, cwd=checkout, env=environment, capture_output=True, text=True)
        if not path.is_file():
            raise SystemExit(f"{checkout}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return float(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
