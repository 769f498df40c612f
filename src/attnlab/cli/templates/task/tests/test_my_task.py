"""My task: it trains, is tested and drawn, and goes on exactly where it stopped."""

import json

import pytest

import attnlab

SMALL = ["dataset=my_task", "encoder.hidden_dim=8", "optimizer.lr=0.02", "scheduler=constant", "logger=none"]


@pytest.fixture(autouse=True)
def _results_go_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))


def test_it_learns_and_leaves_what_a_run_leaves():
    run = attnlab.train([*SMALL, "trainer.max_epochs=4", "callbacks.run_files.figures=1"])
    assert run.metrics["test/accuracy"] > 0.8
    lines = [json.loads(line) for line in (run.folder / "test.jsonl").read_text("utf-8").splitlines()]
    right = sum(line["label"] == line["predicted"] for line in lines)
    assert run.metrics["test/accuracy"] == pytest.approx(right / len(lines))
    assert all(sum(line["weights"]) == pytest.approx(1, abs=1e-5) for line in lines)
    assert (run.folder / "attention" / "test_0.png").is_file()


def test_it_goes_on_as_if_it_had_not_stopped():
    whole = attnlab.train([*SMALL, "trainer.max_epochs=2"])
    short = attnlab.train([*SMALL, "trainer.max_epochs=1"])
    attnlab.train([f"resume={short.folder}", "trust=[my_task]", "trainer.max_epochs=2"])
    assert (short.folder / "test.jsonl").read_bytes() == (whole.folder / "test.jsonl").read_bytes()
