"""Two processes on the CPU train as one does on the same sentences: jobs of a multirun, one after the other."""

import json

import pytest
from multirun_files import by_seed, measured

# An epoch is one update on 60 sentences. One process has them in a batch, two accumulate three batches of unequal
# token counts: one process has two, the other one and a batch without weight, and but one has a sentence to validate.
COMMON = (
    "logger=none", "dataset.train_size=60", "dataset.val_size=1", "dataset.test_size=21",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8", "model.dropout=0", "scheduler=constant",
    "optimizer.lr=0.02", "task.coverage_loss=0.5", "trainer.gradient_clip_val=0.4", "trainer.max_epochs=4",
    "trainer.log_every_n_steps=1", "callbacks.checkpoints.monitor=val/loss", "callbacks.checkpoints.mode=min",
)  # fmt: skip
SHARES = {
    "one": ("seed=1", "trainer=cpu", "data.batch_size=60"),
    "two": ("seed=1,2", "trainer=ddp_cpu", "data.batch_size=20", "trainer.accumulate_grad_batches=2"),
}


def losses(job, name="val/loss"):
    lines = (job / "history.jsonl").read_text("utf-8").splitlines()
    return [point[name] for point in map(json.loads, lines) if name in point]


@pytest.mark.long
def test_two_processes_are_as_good_as_one(commands):
    sweeps = {}
    for name, choices in SHARES.items():
        commands("train", "-m", f"sweep_name={name}", *choices, *COMMON)
        sweeps[name] = by_seed(commands.root / "sweeps" / name / "latest")
    one, two = sweeps["one"][1], sweeps["two"][1]
    assert losses(two) == pytest.approx(losses(one), rel=1e-5)
    assert losses(two, "train/loss") == pytest.approx(losses(one, "train/loss"), rel=1e-5)
    assert losses(one)[0] - losses(one)[-1] > 0.01, "nothing was learned"
    single, double = measured(one), measured(two)
    assert (single["devices"], double["devices"]) == (1, 2)
    scores = [name for name in single if name.startswith("test")]
    assert len(scores) > 8
    assert double.pop("test/aer") == pytest.approx(single.pop("test/aer"), abs=0.02)  # rounding tips an argmax
    scores.remove("test/aer")
    assert {name: double[name] for name in scores} == pytest.approx({name: single[name] for name in scores}, rel=1e-4)
    texts = [(job / "test.jsonl").read_text("utf-8").splitlines() for job in (one, two)]
    assert [json.loads(line)["source"] for line in texts[0]] == [json.loads(line)["source"] for line in texts[1]]
    assert losses(two) != losses(sweeps["two"][2])
