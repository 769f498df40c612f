"""Start-up, and what Lightning and the callbacks of a run cost a step.

    python benchmarks/startup.py [--repeats 5] [--before checkout | --one-by-one] [--out file]

Commands are timed whole, from the shell's point of view: the help, a misspelt option, a misspelt value, and the
default run until its first training step is done, once with an empty cache of prepared data and then with a full one.
Beside the seconds stand the processor's seconds, which other users of the machine do not lengthen much.
With ``--before`` mistakes are timed, of all commands, and a training of a few batches, in turn with those of another
checkout (which has its own ``.venv``); the ratio says what a change costs, on a busy machine too. A checkout without a
trained run trains one.
With ``--one-by-one`` the help, a mistake and the default run to its first step are timed with everything that is there
for the sake of a start, and in turn with it each time with one piece taken away: what does that piece gain?
The cost of a step is that of ``python train.py`` as configured by default (callbacks, logging, progress bar, clipping;
logger csv) less that of a bare loop over the same loader, model and optimizer; the model is tiny, so that its own time
does not drown the difference. Processor time, one thread.
"""

import argparse
import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytorch_lightning as pl
import torch

sys.path.insert(0, str(Path(__file__).parent))
import measure

ROOT = Path(__file__).parents[1]
TINY = ["model.embedding_dim=8", "encoder.hidden_dim=8", "decoder.hidden_dim=16", "dataset.train_size=4000"]
FIRST_STEP = ["trainer.max_steps=1", "callbacks=none", "logger=none"]
FIRST = "default run to its first step, prepared before"
MISTAKES = [["attention=bahdana"], ["optimizer.lr=fast"]]
SMOKE = ["train.py", "trainer=smoke", "logger=none", *TINY]
WHOLE = ["train.py", "trainer.max_epochs=1", "logger=none", *TINY]  # a run for those that take one: no trial
OF_ALL_COMMANDS = [
    ["train.py", "attention=typo"],
    ["train.py", "attention=luong_dott"],
    ["train.py", "trainer.max_epoch=2"],
    ["translate.py", "run=latest", "serch=beam"],
    ["evaluate.py", "run=latest", "serch=beam"],
]
# What is there for a start to be short, and how to do without it: Python to be run before the command is.
PIECES = {
    "`torch._dynamo` when it is wanted": "from attnlab.private import lean_imports as lean\n"
    "lean.LateCompiler.install = lambda: None",
    "torchmetrics without `scipy.signal`": "from attnlab.private import lean_imports as lean\n"
    "lean._torchmetrics = lambda: '999'",
    "`Hydra.run`, not `hydra.main`": "import hydra, attnlab.cli.app as app\n"
    "app.run_alone = lambda composer, name, job, overrides: hydra.main(\n"
    "    version_base='1.3', config_path=str(app.project.configuration()), config_name=name)(job)()",
    "a YAML file read once": "import attnlab.private.hydra as ours\n"
    "ours.CachingRepository.load_config = lambda self, config_path: self.read(config_path)",
    "no modules taken apart at the end": "import sys, attnlab.private.interpreter as ours\nours.leave = sys.exit",
    "no search for garbage (`gc.disable`, `gc.freeze`)": "import gc\ngc.disable = gc.freeze = lambda: None",
}
NO_SCORES = ["trainer.limit_val_batches=0", "trainer.limit_test_batches=0"]


def main() -> None:
    options = arguments()
    first = [*FIRST_STEP, *NO_SCORES]
    if options.before:
        head = f"## The time to a mistake and of a short training, before and after\n\n{measure.machine()}"
        measure.report("\n\n".join([head, compared(options.before, options.repeats), ""]), options.out)
        return
    if options.one_by_one:
        title = "## What each piece of a start gains"
        measure.report(f"{title}\n\n{measure.machine()}\n", options.out)
        for overrides in (["--help"], *MISTAKES, first):
            name = FIRST if overrides is first else overrides[0]
            header = (name, "processor seconds with it, median (least)", "without", "gained, median (quartiles)")
            measure.results(title, header, one_by_one(overrides, options.repeats), options.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ATTNLAB_ROOT": folder}
        once = {"default run to its first step, nothing prepared": timed(first, environment)}
        rows = [(name, *show([taken])) for name, taken in once.items()]
        commands = {
            "--help": ["--help"],
            "attention=bahdana (no such option)": MISTAKES[0],
            "optimizer.lr=fast (not a number)": MISTAKES[1],
            FIRST: first,
        }
        for name, overrides in commands.items():
            rows.append((name, *show([timed(overrides, environment) for _ in range(options.repeats)])))
    header = ("python train.py …", "seconds, median (least)", "processor seconds, median")
    cost = overhead(options.steps)
    title = "## Start-up and the cost of a step"
    measure.report("\n\n".join([title, measure.machine(), ""]), options.out)
    measure.results(title, header, rows, options.out)
    measure.report(f"{cost}\n", options.out)


def one_by_one(overrides: list[str], pairs: int) -> list[tuple[str, ...]]:
    """Rows of a command: with all pieces and without one of them, or without any, in turn."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**with_bytecode(), "ATTNLAB_ROOT": folder}
        timed(overrides, environment)  # prepares the data, and writes bytecode
        for name, away in {**PIECES, "all of these": "\n".join(PIECES.values())}.items():
            taken: dict[str, list[float]] = {"": [], away: []}
            for pair in range(pairs):
                for first in sorted(taken, reverse=bool(pair % 2)):
                    taken[first].append(timed(overrides, environment, first)[1])
            gained = sorted(more - less for more, less in zip(taken[away], taken[""], strict=True))
            low, high = gained[len(gained) // 4], gained[(3 * len(gained)) // 4]
            seconds = [f"{statistics.median(each):.2f} ({min(each):.2f})" for each in taken.values()]
            rows.append((name, *seconds, f"{statistics.median(gained):.2f} ({low:.2f} to {high:.2f})"))
    return rows


def timed(overrides: list[str], environment: dict[str, str], first: str | None = None) -> tuple[float, float]:
    """Wall and processor seconds of a command; ``first`` is Python to be run in its process before it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    script = [str(ROOT / "train.py")]
    if first is not None:
        run = "import runpy, sys\nsys.argv = sys.argv[1:]\nsys.path[0] = sys.argv[0].rpartition('/')[0]"
        script = ["-c", f"{run}\n{first}\nrunpy.run_path(sys.argv[0], run_name='__main__')", *script]
    command = [sys.executable, *script, *overrides]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != (2 if overrides in MISTAKES else 0):
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(before: Path, repeats: int) -> str:
    """Processor seconds in user mode, in turn: the other checkout, this one."""
    rows = []
    for root in (before, ROOT):
        if not any((root / "outputs").glob("*/*/*/checkpoints/best.ckpt")):
            subprocess.run([root / ".venv/bin/python", *WHOLE], check=True, cwd=root, env=of(root))
    for command in [*OF_ALL_COMMANDS, SMOKE]:
        taken: dict[Path, list[float]] = {before: [], ROOT: []}
        for repeat in range(repeats + 1):  # the first writes bytecode
            for root, seconds in taken.items():
                used = user_seconds(root, command)
                seconds.extend([used] if repeat else [])
        old, new = taken.values()
        least, middle = (f"{each(new) / each(old):.2f}" for each in (min, statistics.median))
        spent = [f"{statistics.median(times):.2f} ({min(times):.2f})" for times in (old, new)]
        rows.append((" ".join(command[:2]) if command is SMOKE else " ".join(command), *spent, f"{middle} ({least})"))
    return measure.table(("command", "before, median (least)", "after", "ratio of medians (of the least)"), rows)


def user_seconds(root: Path, command: list[str]) -> float:
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    python = root / ".venv" / "bin" / "python"
    done = subprocess.run([python, *command], check=False, cwd=root, env=of(root), capture_output=True, text=True)
    told = command is SMOKE or command[-1].partition("=")[0].rpartition(".")[2] in done.stderr
    if done.returncode != (0 if command is SMOKE else 2) or not told:
        raise SystemExit(f"{root}: {' '.join(command)}\n{done.stderr}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start


def of(root: Path) -> dict[str, str]:
    """The environment in which a checkout imports itself, whichever one its ``.venv`` has been made for."""
    return {**with_bytecode(), "PYTHONPATH": str(root / "src")}


def with_bytecode() -> dict[str, str]:
    """The environment of an installed package: what has been imported once is not compiled anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def show(taken: list[tuple[float, float]]) -> tuple[str, str]:
    wall, cpu = ([values[i] for values in taken] for i in (0, 1))
    return f"{statistics.median(wall):.2f} ({min(wall):.2f})", f"{statistics.median(cpu):.2f}"


def overhead(steps: int) -> str:
    """Milliseconds a step: with Lightning, bare, and the difference."""
    from hydra import compose, initialize_config_dir
    from hydra.core.hydra_config import HydraConfig
    from hydra.utils import instantiate

    from attnlab.cli import build, folders, project
    from attnlab.cli.fit import components
    from attnlab.cli.logging import quiet, set_up_torch

    torch.set_num_threads(1)
    quiet()
    set_up_torch()
    folders.register()
    conf = str(project.configuration())
    with tempfile.TemporaryDirectory() as folder, initialize_config_dir(conf, version_base="1.3"):
        os.environ["ATTNLAB_ROOT"] = folder
        chosen = [*TINY, "logger=csv", f"trainer.max_steps={steps}", "trainer.max_epochs=-1", *NO_SCORES]
        chosen += [f"paths.run={folder}/run", "callbacks.checkpoints=null"]
        config = compose("train", chosen, return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        data = instantiate(config.data)
        data.prepare_data()
        data.setup("fit")
        pl.seed_everything(1, verbose=False)
        task = build.task(config, data)
        bare = bare_steps(task, data, steps)
        trainer = instantiate(
            config.trainer, callbacks=components(config.callbacks), logger=components(config.logger),
            enable_checkpointing=False,
        )  # fmt: skip
        clock = Clock()
        trainer.callbacks.append(clock)
        with contextlib.redirect_stderr(io.StringIO()):
            trainer.fit(task, data)
        lightning = clock.per_step()
    rest = lightning - bare
    return f"A step: {lightning:.2f} ms with Lightning, {bare:.2f} ms bare, so {rest:.2f} ms for all that surrounds it."


def bare_steps(task: object, data: object, steps: int) -> float:
    """Milliseconds of processor time a step of forward, backward, clipping and update."""
    model, optimizer = task.model.train(), task.make_optimizer(task.model.parameters())  # type: ignore[attr-defined]
    done, start = 0, 0.0
    while done < steps:
        for batch in data.train_dataloader():  # type: ignore[attr-defined]
            if done == steps // 4:
                start = time.process_time()
            loss = model.loss(batch, model(batch))
            optimizer.zero_grad(set_to_none=True)
            (loss.total / loss.tokens).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            done += 1
            if done == steps:
                break
    return 1e3 * (time.process_time() - start) / (steps - steps // 4)


class Clock(pl.Callback):
    """Reads the processor's clock at every step; the first quarter of the steps does not count."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_start(self, *_: object) -> None:
        self.times.append(time.process_time())

    def per_step(self) -> float:
        """Milliseconds."""
        first = len(self.times) // 4
        return 1e3 * (self.times[-1] - self.times[first]) / (len(self.times) - 1 - first)


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument(
        "--one-by-one",
        action="store_true",
        help="what is there for a short start, each taken away alone, in turn with all",
    )
    parser.add_argument("--steps", type=int, default=600, help="of the comparison with a bare loop")
    return parser.parse_args()


if __name__ == "__main__":
    main()
