"""A run folder that version 0.1.0 left (at 849cf8e) is read, evaluated, translated with and gone on with."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from attnlab.cli.app import composed
from attnlab.cli.commands.translate import COMMAND
from attnlab.cli.translating import restore
from attnlab.metrics.translation import TEXT_SCORES
from attnlab.tasks.translation.looking import batch_of

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
    of_words = [key for key in scores if key.rpartition("/")[2] in TEXT_SCORES]  # a tie may go the other way: see below
    for keys, rel in ((of_words, 1e-2), (set(scores) - set(of_words), 1e-5)):
        assert {key: again[key] for key in keys} == pytest.approx({key: before[key] for key in keys}, rel=rel)


def test_it_translates_as_it_did(commands, old):
    lines = [json.loads(line) for line in (LEFT / "test.jsonl").read_text("utf-8").splitlines()]
    output = commands("translate", f"run={old}", text="".join(f"{line['source']}\n" for line in lines)).splitlines()
    assert len(output) == len(lines)
    run = restore(composed(COMMAND, [f"run={old}", "device=cpu"]))
    for new, line in zip(output, lines, strict=True):
        assert new == line["hypothesis"] or tied(run, line["source"], new, line["hypothesis"])


def tied(run, source, new, before):
    """Whether the words at which two translations part are as likely as each other: it has learnt next to nothing, and
    which of two equal numbers is larger depends on the order of a sum.
    """
    words = [run.target.encode(text) for text in (new, before)]
    step = next(step for step, (one, other) in enumerate(zip(*words, strict=False)) if one != other)
    batch = batch_of([(run.source.encode(source), words[1])], run.device)
    with torch.no_grad():
        logits = run.model.eval().word_logits(run.model(batch))[0, step]
    return abs(logits[words[0][step]] - logits[words[1][step]]).item() < 1e-6


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
