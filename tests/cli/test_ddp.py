"""Two processes on the CPU train as one does on the same sentences: jobs of a multirun, one after the other."""

import json

import pytest
from multirun_files import by_seed, measured

# An epoch is one update on two batches: one for each process, or two whose gradients are added up.
TWO_BATCHES = (
    "logger=none", "dataset.train_size=64", "data.batch_size=32", "dataset.val_size=21", "dataset.test_size=21",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8", "model.dropout=0", "scheduler=constant",
    "optimizer.lr=0.02", "trainer.max_epochs=4", "callbacks.checkpoints.monitor=val/loss",
    "callbacks.checkpoints.mode=min",
)  # fmt: skip


def losses(job):
    lines = (job / "history.jsonl").read_text("utf-8").splitlines()
    return [point["val/loss"] for point in map(json.loads, lines) if "val/loss" in point]


def test_two_processes_are_as_good_as_one(commands):
    sweeps = {}
    for name, choices in (("one", ["trainer=cpu", "trainer.accumulate_grad_batches=2"]), ("two", ["trainer=ddp_cpu"])):
        commands("train", "-m", "seed=1,2", f"sweep_name={name}", *choices, *TWO_BATCHES)
        sweeps[name] = by_seed(commands.root / "sweeps" / name / "latest")
    for seed in (1, 2):
        one, two = sweeps["one"][seed], sweeps["two"][seed]
        assert losses(two) == pytest.approx(losses(one), rel=1e-5)
        assert losses(one)[0] - losses(one)[-1] > 0.01, "nothing was learned"
        single, double = measured(one), measured(two)
        assert (single["devices"], double["devices"]) == (1, 2)
        scores = [name for name in single if name.startswith("test")]
        assert len(scores) > 8
        assert {name: double[name] for name in scores} == pytest.approx(
            {name: single[name] for name in scores}, rel=1e-4
        )
        texts = [(job / "test.jsonl").read_text("utf-8").splitlines() for job in (one, two)]
        assert [json.loads(line)["source"] for line in texts[0]] == [json.loads(line)["source"] for line in texts[1]]
    assert losses(sweeps["one"][1]) != losses(sweeps["one"][2])
