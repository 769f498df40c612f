"""A training that diverges ends with a line and an exit code of its own."""

import json

import pytest


@pytest.mark.parametrize("attention", ["hard_sampled", "gumbel"])
def test_divergence_is_told_in_a_line(commands, tiny, attention):
    """torch would stop at "probability tensor contains inf" in the middle of a pass."""
    folder = commands.root / "diverged" / attention
    choices = (
        f"attention={attention}",
        "optimizer=adamw",
        "optimizer.lr=1e9",
        "optimizer.weight_decay=0.1",  # times -1e8 at every update
        "data.batch_size=16",
        "trainer.limit_train_batches=12",
        f"hydra.run.dir={folder}",
    )
    told = commands("train", *tiny, *choices, code=3).strip().splitlines()[-1]
    assert told.startswith("Error: update ")
    assert "training has stopped" in told
    assert "optimizer.lr" in told
    (file,) = (folder / "non_finite").iterdir()
    assert str(file) in told
    assert json.loads(file.read_text("utf-8"))["sentences"][0]["source"]
