"""A run folder that version 0.1.0 left (at 849cf8e) is read, evaluated, translated with and gone on with."""

import json
import shutil
from pathlib import Path

import pytest

LEFT = Path(__file__).parents[1] / "runs" / "version_0_1_0"


@pytest.fixture
def old(commands, tmp_path):
    folder = commands.root / "old" / tmp_path.name
    shutil.copytree(LEFT, folder)
    return folder


def test_it_is_evaluated_as_it_was(commands, old):
    commands("evaluate", f"run={old}", "name=again")
    again = json.loads((old / "evaluations" / "again.json").read_text("utf-8"))
    before = json.loads((LEFT / "metrics.json").read_text("utf-8"))
    scores = [key for key in before if key.startswith("test") and "second" not in key]
    assert {"test/bleu", "test/ppl", "test/aer", "test_long/ter"} <= set(scores)
    assert {key: again[key] for key in scores} == pytest.approx({key: before[key] for key in scores}, rel=1e-5)


def test_it_translates_as_it_did(commands, old):
    lines = [json.loads(line) for line in (LEFT / "test.jsonl").read_text("utf-8").splitlines()]
    output = commands("translate", f"run={old}", text="".join(f"{line['source']}\n" for line in lines))
    assert output.splitlines() == [line["hypothesis"] for line in lines]


def test_it_is_compared(commands, old):
    output = commands("compare", f"runs={old}")
    before = json.loads((LEFT / "metrics.json").read_text("utf-8"))
    for name in ("bleu", "chrf", "ter"):
        assert f"{before[f'test/{name}']:.2f}" in output


@pytest.mark.long
def test_it_is_gone_on_with(commands, old):
    output = commands("train", f"resume={old}", "trainer.max_epochs=2")
    steps = [json.loads(line)["step"] for line in (old / "history.jsonl").read_text("utf-8").splitlines()]
    assert steps == sorted(steps)
    assert steps[-1] == json.loads((old / "metrics.json").read_text("utf-8"))["train/steps"] > 2
    assert "goes on with" in output
