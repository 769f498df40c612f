"""Kill trainings at random moments, start them again, and see that each ends as the one left alone: bit by bit.

    python benchmarks/kill_sweep.py [--kills 100] [--only transformer ddp …] [--out file]

A kill is SIGKILL to all processes of a training. Its moment is drawn anew for each start, a third each: a batch of
training (before it, between its passes, behind it); any other event, of which there is one at each hook of validation,
test, start and end, and before and behind each step of writing a file; an instant of the processor's time, from the
start of the command on. A training that was killed is started again with the same command, perhaps killed again, until
it ends; then another one begins in a folder of its own, until there are as many kills as were asked for. Compared with
the training left alone are: every tensor of best.ckpt and last.ckpt; every number of metrics.json and history.jsonl
that is no time, speed or size of memory; the translations of the test splits, byte by byte; what was left half-written.
The libraries are imported once, and each start is a fork (Linux only).
"""

import argparse
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "cli"))

from command_server import load  # noqa: E402
from killing import Ending, Moment, attempt  # noqa: E402
from multirun_files import OF_THE_MACHINE, measured  # noqa: E402

SMALL = (
    "logger=none", "dataset.train_size=240", "dataset.val_size=24", "dataset.test_size=24", "data.batch_size=16",
    "model.embedding_dim=16", "model.dropout=0.2", "trainer.log_every_n_steps=2", "trainer.max_epochs=3",
    "callbacks.checkpoints.every_n_steps=4", "callbacks.attention_maps=null", "callbacks.run_files.figures=0",
)  # fmt: skip
NARROW = ("encoder.hidden_dim=8", "decoder.hidden_dim=16")
TRANSFORMER = (
    "attention=multi_head", "encoder.layers=1", "decoder.layers=1", "encoder.layer.feedforward_dim=16",
    "decoder.layer.feedforward_dim=16",
)  # fmt: skip
FALLING = ("scheduler=plateau", "scheduler.make.patience=0", "optimizer.lr=0.5")  # the loss rises at this rate
CONFIGURATIONS: dict[str, tuple[str, ...]] = {
    "default": NARROW,
    "transformer": TRANSFORMER,
    "ddp": (*NARROW, "trainer=ddp_cpu", "trainer.max_epochs=2", "trainer.log_every_n_steps=2"),
    "steps_only": (*NARROW, "trainer.max_epochs=-1", "trainer.max_steps=37"),
    "plateau": (*NARROW, *FALLING, "trainer.val_check_interval=0.5"),
    "plateau_of_steps": (*NARROW, *FALLING, "scheduler.interval=step", "scheduler.monitor=train/loss"),
    "accumulation": (*NARROW, "trainer.accumulate_grad_batches=2", "scheduler=warmup_inverse_sqrt"),
    "gumbel_ema": (*NARROW, "attention=gumbel", "callbacks=ema"),
    "early_stopping": (*NARROW, "callbacks.early_stopping.patience=0", "optimizer.lr=1", "scheduler=luong_halving"),
    "hard_sampled_few_batches": (*NARROW, "attention=hard_sampled", "trainer.limit_train_batches=11"),
    "token_batches_own_words_bf16": (
        *NARROW, "data.batch_size=null", "data.batch_tokens=200", "task.teacher_forcing.probability=0.7",
        "task.teacher_forcing.draw=token", "trainer.precision=bf16-mixed",
    ),
    "validations_over_epochs": (*NARROW, "trainer.val_check_interval=7", "trainer.check_val_every_n_epoch=null"),
    "workers": (*NARROW, "data.num_workers=1"),
    "four_jobs": (*NARROW, "attention=none,luong_general", "seed=1,2", "trainer.max_epochs=1"),
}  # fmt: skip
BATCH = ("on_train_batch_start", "on_before_backward", "on_after_backward", "on_before_optimizer_step",
         "on_before_zero_grad", "on_train_batch_end")  # fmt: skip


class Undisturbed(NamedTuple):
    """A training that was left alone."""

    results: dict[str, Any]
    events: list[str]
    seconds: float  #: of the processor


def main() -> None:
    options = arguments()
    started = time.time()
    load()
    scratch = tempfile.mkdtemp()  # a TemporaryDirectory would end with the first of the forked processes
    try:
        found = side_by_side(Path(scratch), options)
    finally:
        shutil.rmtree(scratch)
    kills = [kill for result in found.values() for kill in result["kills"]]
    summary = {
        "command": " ".join(["python", *sys.argv]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "minutes": round((time.time() - started) / 60, 1),
        "kills": len(kills),
        "kills_at": dict(Counter(kind for kind, _ in kills).most_common()),
        "trainings_killed": sum(result["trainings"] for result in found.values()),
        "trainings_that_ended_bit_for_bit": sum(result["equal"] for result in found.values()),
        "kills_whose_training_ended_bit_for_bit": sum(result["kills_of_equal"] for result in found.values()),
        "configurations": found,
    }
    text = json.dumps(summary, indent=1)
    print(text)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", "utf-8")
    sys.exit(any(result["differences"] for result in found.values()))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=list(CONFIGURATIONS), choices=list(CONFIGURATIONS))
    parser.add_argument("--processes", type=int, default=2, help="configurations at a time")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def side_by_side(scratch: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Share the configurations out to processes; forked, since this one has imported the libraries."""
    names = options.only
    shares = {name: (number + 1) * options.kills // len(names) - number * options.kills // len(names)
              for number, name in enumerate(names)}  # fmt: skip
    workers = []
    for number in range(options.processes):
        workers.append(os.fork())
        if workers[-1] == 0:
            with Ending():
                for name in names[number :: options.processes]:
                    result = kill_often(scratch / name, name, shares[name], random.Random(f"{options.seed} {name}"))
                    (scratch / f"{name}.json").write_text(json.dumps(result), "utf-8")
    codes = [os.waitpid(worker, 0)[1] for worker in workers]
    if any(codes):
        sys.exit("a configuration could not be tried: see above")
    return {name: json.loads((scratch / f"{name}.json").read_text("utf-8")) for name in names}


def kill_often(folder: Path, name: str, kills: int, draw: random.Random) -> dict[str, Any]:
    """Kill trainings of a configuration so many times."""
    settings = (*SMALL, "seed=1", *CONFIGURATIONS[name])
    whole = undisturbed(folder / "whole", settings)
    record: list[tuple[str, int]] = []
    differences: list[str] = []
    trainings = equal = kills_of_equal = 0
    while len(record) < kills:
        root, before, code = folder / f"{trainings}", len(record), -signal.SIGKILL
        while code == -signal.SIGKILL:
            moment = choose(whole, draw) if len(record) < kills else Moment()
            code, at = attempt(root, settings, moment)
            if code == -signal.SIGKILL:
                record.append((at, trainings))
        found = differing(whole.results, results(root)) + ([] if code == 0 else [f"exit code {code}, see {root}/err"])
        differences += [f"training {trainings}: {line}" for line in found]
        trainings, equal = trainings + 1, equal + (not found)
        kills_of_equal += 0 if found else len(record) - before
        print(f"{name}: {len(record)} kills, {equal} of {trainings} as if undisturbed", file=sys.stderr, flush=True)
        if found:
            print((root / "err").read_text("utf-8")[-2000:], *found[:5], sep="\n", file=sys.stderr, flush=True)
    return {
        "processor_seconds_undisturbed": round(whole.seconds, 1),
        "compared_values": sum(len(job) for job in whole.results.values()),
        "trainings": trainings,
        "equal": equal,
        "kills_of_equal": kills_of_equal,
        "kills": record,
        "differences": differences,
    }


def choose(whole: Undisturbed, draw: random.Random) -> Moment:
    kind = draw.randrange(3)
    if kind == 2:
        return Moment(seconds=draw.uniform(0, whole.seconds))
    numbers = [number for number, event in enumerate(whole.events, 1) if (event in BATCH) == (kind == 0)]
    return Moment(event=draw.choice(numbers))


def undisturbed(root: Path, settings: tuple[str, ...]) -> Undisturbed:
    """Train once to warm the cache of the data, and once more to be timed; the two are to be equal themselves."""
    first, second = root.with_name("first"), root
    for folder in (first, second):
        code, _ = attempt(folder, settings, Moment())
        if code != 0:
            raise RuntimeError(f"the undisturbed training failed:\n{(folder / 'err').read_text('utf-8')}")
    if found := differing(results(first), results(second)):
        raise RuntimeError(f"two undisturbed trainings differ: {found}")
    return Undisturbed(
        results(second), (second / "events").read_text("utf-8").split(), float((second / "cpu").read_text())
    )


def results(root: Path) -> dict[str, dict[str, Any]]:
    """All that is compared, by the name of the job and of the value."""
    import torch

    found: dict[str, dict[str, Any]] = {}
    for job in sorted(path.parent for path in (root / "sweep").glob("*/.hydra")):
        values: dict[str, Any] = {}
        if (job / "finished.json").is_file():
            values = measured(job) | {"finished.json": (job / "finished.json").read_text("utf-8")}
        for file in sorted(job.glob("test*.jsonl")):
            values[file.name] = file.read_text("utf-8")
        for number, line in enumerate((job / "history.jsonl").read_text("utf-8").splitlines()):
            values |= {f"history.jsonl {number} {key}": value for key, value in json.loads(line).items()
                       if not any(word in key for word in OF_THE_MACHINE)}  # fmt: skip
        for name in ("best", "last"):
            content = torch.load(job / "checkpoints" / f"{name}.ckpt", weights_only=True)
            values |= {f"{name}.ckpt{key}": tensor.numpy(force=True).tobytes() if tensor.dtype != torch.bfloat16
                       else tensor.float().numpy().tobytes() for key, tensor in tensors(content)}  # fmt: skip
        values = {key.replace(str(root), ""): value for key, value in values.items()}
        values |= {f"left: {path.name}": True for path in job.rglob(".*-*-*")}
        found[job.name] = values
    return found


def tensors(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All tensors of a tree of mappings and sequences."""
    import torch

    if isinstance(node, torch.Tensor):
        yield name, node
    elif isinstance(node, dict | list | tuple):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from tensors(value, f"{name}.{key}")


def differing(expected: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[str]:
    missing, differences = object(), []
    for job in sorted(expected.keys() | found.keys()):
        left, right = expected.get(job, {}), found.get(job, {})
        keys = sorted(left.keys() | right.keys())
        differences += [f"{job}: {key}" for key in keys if left.get(key, missing) != right.get(key, missing)]
    return differences


if __name__ == "__main__":
    main()
