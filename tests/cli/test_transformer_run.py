"""A Transformer through all three commands: its parts are recalled by those that read a finished run."""

import json
from pathlib import Path

SETTINGS = (
    "attention=multi_head", "position=shaw", "trainer=smoke", "logger=none", "model.embedding_dim=16",
    "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20", "encoder.layers=1", "decoder.layers=2",
)  # fmt: skip


def test_a_transformer_is_trained_scored_again_and_translates(commands):
    output = commands("train", *SETTINGS)
    folder = Path(output.split("files:")[1].strip())
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["decoder"] == metrics["encoder"] == "transformer"
    assert 0 <= metrics["test/aer"] <= 1  # weights are there to be measured
    again = commands("evaluate", f"run={folder}", "trainer.limit_test_batches=1")
    assert f"{metrics['test/bleu']:.2f}" in again
    found = json.loads(commands("translate", f"run={folder}", "search=beam", "format=json", text="the dog sleeps .\n"))
    weights = found["translations"][0]["weights"]
    assert all(abs(sum(row) - 1) < 1e-2 for row in weights)
