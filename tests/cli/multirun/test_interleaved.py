"""Seeds that share a process leave what they leave alone, to the last bit; what ends one of them leaves the others."""

import json
import re
from pathlib import Path

import pytest
import torch
from multirun_files import by_seed, measured

from attnlab.cli.multirun.interleaved import Interleaved, alike

TURNS = ("hydra/launcher=interleaved", "hydra.launcher.updates=1")
LONGER = ("trainer.limit_train_batches=3", "trainer.max_epochs=2", "model.dropout=0.3")

FAILS = """
from pytorch_lightning.callbacks import Callback
from attnlab.types import ConfigError

class Fails(Callback):
    def on_train_batch_start(self, trainer, *rest) -> None:
        if trainer.global_step == 2 and trainer.datamodule.seed == 2:
            raise ConfigError("this job is to fail")
"""


def weights(job, name):
    """Of a checkpoint, with the moments of its optimizer and the states of the generators."""
    saved = torch.load(job / "checkpoints" / name, weights_only=True)
    (optimizer,) = saved["optimizer_states"]
    moments = {f"{number} {key}": part for number, state in optimizer["state"].items() for key, part in state.items()}
    return saved["state_dict"] | moments | {"generator": saved["random_states"][0]["torch"]}


def assert_same_jobs(one, other):
    jobs, others = by_seed(one), by_seed(other)
    assert set(jobs) == set(others)
    for seed, job in jobs.items():
        assert job.name == others[seed].name
        assert measured(job) == measured(others[seed])
        assert {path.name for path in job.iterdir()} == {path.name for path in others[seed].iterdir()}
        for name in ("best.ckpt", "last.ckpt"):
            here, there = weights(job, name), weights(others[seed], name)
            assert set(here) == set(there)
            assert not [key for key in here if not torch.equal(here[key], there[key])]


@pytest.fixture(scope="module")
def one_by_one(commands, tiny):
    commands("train", "-m", "seed=1,2,3", "sweep_name=not_interleaved", *tiny, *LONGER)
    return commands.root / "sweeps" / "not_interleaved" / "latest"


def test_a_seed_is_what_it_is_alone(commands, tiny, one_by_one):
    """Dropout and shuffling included: each has its own generators. The third one begins when the first has ended."""
    told = commands(
        "train", "-m", "seed=1,2,3", "sweep_name=interleaved", *TURNS, "hydra.launcher.seeds_at_once=2", *tiny, *LONGER
    )
    sweep = commands.root / "sweeps" / "interleaved" / "latest"
    assert_same_jobs(one_by_one, sweep)
    lines = told.splitlines()
    begun = {seed: lines.index(f"[{seed} of 3] seed={seed}") for seed in (1, 2, 3)}
    ended = {
        seed: next(n for n, line in enumerate(lines) if re.match(rf"\[\d of 3\] seed={seed}: val/bleu", line))
        for seed in (1, 2, 3)
    }
    assert begun[1] < begun[2] < ended[1] < begun[3] < ended[3]
    assert sum(line.startswith("seed=2 | epoch") for line in lines) == 2
    for seed, job in by_seed(sweep).items():  # each has its own lines, without the label
        log = (job / "train.log").read_text("utf-8")
        assert log.count("epoch 2/2") == 1
        assert "seed=" not in log.replace(f"seed-{seed}", "")


STACKED = ("hydra/launcher=interleaved", "hydra.launcher.stacked=true")
NO_DROPOUT = ("trainer.limit_train_batches=4", "trainer.max_epochs=2", "model.dropout=0", "trainer.log_every_n_steps=1",
              "logger=csv")  # fmt: skip


def test_stacked_seeds_are_what_they_are_alone(commands, tiny):
    """Losses of all updates, and the weights after the last one; one ends early, and the next takes its place."""
    commands("train", "-m", "seed=1,2,3", "sweep_name=not_stacked", *tiny, *NO_DROPOUT)
    name = ("sweep_name=stacked", "hydra.launcher.seeds_at_once=2")
    commands("train", "-m", "seed=1,2,3", *STACKED, *name, *tiny, *NO_DROPOUT)
    alone, stacked = (by_seed(commands.root / "sweeps" / name / "latest") for name in ("not_stacked", "stacked"))
    assert set(alone) == set(stacked) == {1, 2, 3}
    for seed, job in alone.items():
        other = stacked[seed]
        assert {path.name for path in job.iterdir()} == {path.name for path in other.iterdir()}
        here, there = ((torch.load(path / "checkpoints" / "last.ckpt", weights_only=True)) for path in (job, other))
        assert set(here) == set(there)
        assert here["global_step"] == there["global_step"] == 8
        for key, value in here["state_dict"].items():
            torch.testing.assert_close(there["state_dict"][key], value, atol=1e-5, rtol=0)
        losses = [[line["train/loss"] for line in history(path) if "train/loss" in line] for path in (job, other)]
        assert len(losses[0]) > 1
        assert losses[1] == pytest.approx(losses[0], abs=1e-5)


@pytest.mark.long
def test_a_stacked_seed_that_fails_leaves_the_others_alone(commands, tiny):
    (commands.root / "fails_stacked.py").write_text(FAILS, "utf-8")
    more = ("+callbacks.fails._target_=fails_stacked.Fails", "model.dropout=0.3")
    told = commands("train", "-m", "seed=1,2", "sweep_name=failing_stacked", *STACKED, *tiny, *LONGER, *more, code=1)
    assert "seed=2 | Error: this job is to fail" in told
    assert set(by_seed(commands.root / "sweeps" / "failing_stacked" / "latest")) == {1}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("decoder=luong_input_feeding",), "the decoder LuongInputFeeding with this attention cannot be stacked"),
        (("model=latent", "attention=luong_dot"), "passes of Translation with LatentAlignment are not made as one"),
        (("hydra.launcher.updates=2",), "hydra.launcher.updates=2 with hydra.launcher.stacked=true"),
    ],
)
def test_what_cannot_be_stacked_is_told_before_anything_is_done(commands, tiny, settings, expected):
    told = commands("train", "-m", "seed=1,2", "sweep_name=unstacked", *STACKED, *tiny, *settings, code=2)
    assert expected in told
    assert not list((commands.root / "sweeps" / "unstacked").glob("*/seed-*"))


def history(job):
    return [json.loads(line) for line in (job / "history.jsonl").read_text("utf-8").splitlines()]


def test_one_that_fails_leaves_the_others_alone(commands, tiny, one_by_one):
    (commands.root / "fails_later.py").write_text(FAILS, "utf-8")
    more = ("+callbacks.fails._target_=fails_later.Fails",)
    told = commands("train", "-m", "seed=1,2,3", "sweep_name=failing", *TURNS, *tiny, *LONGER, *more, code=1)
    assert "seed=2 | Error: this job is to fail" in told
    assert "1 job failed:\n  seed=2: this job is to fail" in told
    sweep = commands.root / "sweeps" / "failing" / "latest"
    jobs, alone = by_seed(sweep), by_seed(one_by_one)
    assert set(jobs) == {1, 3}
    (failed,) = sweep.glob("seed-2-*")
    assert json.loads((failed / "failed.json").read_text("utf-8"))["message"] == "this job is to fail"
    for seed, job in jobs.items():
        here, there = weights(job, "last.ckpt"), weights(alone[seed], "last.ckpt")
        assert not [key for key in there if not torch.equal(here[key], there[key])]


@pytest.mark.parametrize(("hook", "step"), [("on_train_batch_start", 3), ("on_validation_start", 3)])
@pytest.mark.long
def test_a_signal_ends_all_of_them_and_they_go_on(commands, tiny, one_by_one, tmp_path, hook, step):
    name = f"stopped_{hook}"
    sender = f"+callbacks.send={{_target_:sender.Send,name:SIGINT,hook:{hook},step:{step},once:'{tmp_path}/sent'}}"
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    settings = ("seed=1,2,3", f"sweep_name={name}", *TURNS, "hydra.launcher.seeds_at_once=2", *tiny, *LONGER, sender)
    told = commands("train", "-m", *settings, code=130, environment=path)
    sweep = commands.root / "sweeps" / name / "latest"
    assert f"to go on: python train.py -m resume={sweep.resolve()}" in told
    stopped = sorted(path.parent for path in sweep.glob("*/failed.json"))
    assert [job.name[:6] for job in stopped] == ["seed-1", "seed-2"], "the third had not begun"
    for job in stopped:
        assert "interrupted by SIGINT" in (job / "failed.json").read_text("utf-8")
        assert (job / "checkpoints" / "last.ckpt").is_file()
    told = commands("train", "-m", *settings, "resume=latest", "trust=[sender]", environment=path)
    assert told.count("goes on from its last checkpoint") == 2
    jobs, alone = by_seed(sweep), by_seed(one_by_one)
    for seed in alone:
        here, there = weights(jobs[seed], "last.ckpt"), weights(alone[seed], "last.ckpt")
        assert not [key for key in there if not torch.equal(here[key], there[key])]


@pytest.mark.long
def test_without_checkpoints_a_signal_ends_all_of_them_at_once(commands, tiny, tmp_path):
    send = "_target_:sender.Send,name:SIGINT,hook:on_train_batch_start,step:1"
    sender = f"+callbacks.send={{{send},once:'{tmp_path}/sent'}}"
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    settings = ("sweep_name=no_checkpoints", *TURNS, *tiny, *LONGER, "callbacks.checkpoints=null", sender)
    told = commands("train", "-m", "seed=1,2", *settings, code=130, environment=path)
    assert "interrupted by SIGINT" in told
    assert len(list((commands.root / "sweeps" / "no_checkpoints" / "latest").glob("*/failed.json"))) == 2


def test_other_jobs_run_one_after_another(commands, tiny):
    told = commands("train", "-m", "attention=none,luong_dot", "sweep_name=apart", *TURNS, *tiny)
    assert "no two of these jobs differ in their seed alone" in told
    assert told.index("[1 of 2] attention=none: ") < told.index("[2 of 2] attention=luong_dot\n")


def test_jobs_that_are_alike():
    jobs = [("attention=none", "seed=1"), ("attention=cosine", "seed=1"), ("attention=none", "seed=2"),
            ("data.seed=1", "attention=none", "seed=3")]  # fmt: skip
    assert alike(jobs) == [[0, 2], [1], [3]]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (("hydra.launcher.updates=0",), "hydra.launcher.updates=0: expected a whole number from 1 on"),
        (("hydra.launcher.seeds_at_once=many",), "hydra.launcher.seeds_at_once=many: expected a whole number"),
        (("hydra.launcher.n_jobs=2",), "hydra.launcher.n_jobs: unknown key; there is seeds_at_once, stacked, updates"),
        (("jobs_per_gpu=2",), "jobs_per_gpu=2 with hydra/launcher=interleaved: jobs share a GPU where they run side"),
    ],
)
def test_bad_settings(commands, tiny, settings, expected):
    told = commands("train", "-m", "seed=1,2", "hydra/launcher=interleaved", *settings, *tiny, code=2)
    assert expected in told


@pytest.mark.long
def test_jobs_of_several_processes_do_not_take_turns(commands, tiny):
    told = commands("train", "-m", "seed=1", "hydra/launcher=interleaved", *tiny, "trainer=ddp_cpu", code=1)
    assert "trainer.devices=2 with hydra/launcher=interleaved" in told


def test_turns_are_short_where_there_is_a_gpu():
    assert Interleaved().updates is None
    assert Interleaved(updates=7).updates == 7
