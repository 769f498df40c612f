"""Translations chosen from many, and by several runs, from the command line."""

import json
import shutil

import pytest
import torch

from attnlab.kernels.products import packable

TEXT = "the dog sleeps .\n\nan old house stands in the garden .\n"


@pytest.fixture(scope="module")
def second(run, tmp_path_factory):
    """The same run once more: the mean of its probabilities with its own is its own."""
    folder = tmp_path_factory.mktemp("runs") / "second"
    shutil.copytree(run, folder)
    return folder


def told(commands, *arguments):
    return [json.loads(line) for line in commands("translate", *arguments, "format=json", text=TEXT).splitlines()]


def test_minimum_bayes_risk_is_chosen_on_the_command_line(commands, run):
    lines = commands("translate", f"run={run}", "search=mbr", "search.candidates.samples=8", text=TEXT).split("\n")
    assert [bool(line) for line in lines] == [True, False, True, False]
    found = told(
        commands, f"run={run}", "search=mbr", "search/candidates=beam", "search.n_best=3", "search.weights=model"
    )
    assert all(len(item["translations"]) <= 3 for item in found)
    scores = [candidate["score"] for candidate in found[0]["translations"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 100 for score in scores)


@pytest.mark.long
def test_runs_translate_and_are_scored_as_one(commands, run, second):
    alone, both = told(commands, f"run={run}"), told(commands, f"run={run}", f"ensemble=[{second}]")
    for one, other in zip(alone, both, strict=True):
        for ours, theirs in zip(one["translations"], other["translations"], strict=True):
            assert ours["text"] == theirs["text"]
            assert ours["log_prob"] == pytest.approx(theirs["log_prob"], abs=1e-4)
    commands("evaluate", f"run={run}", "name=alone")
    commands("evaluate", f"run={run}", f"ensemble=[{second}]", "name=both")
    ours, theirs = (json.loads((run / "evaluations" / f"{name}.json").read_text()) for name in ("alone", "both"))
    assert theirs["test/bleu"] == pytest.approx(ours["test/bleu"])
    assert "test/loss" in ours
    assert "test/loss" not in theirs, "forced decoding is of one run"


def test_runs_that_do_not_fit_together_are_refused(commands, run, second, tmp_path):
    errors = commands("translate", f"run={run}", f"ensemble=[{run}]", text=TEXT, code=2)
    assert "comes twice" in errors
    other = tmp_path / "other"
    shutil.copytree(second, other)
    file = other / "tokenizer" / "target.json"
    file.write_text(file.read_text("utf-8").replace("hund", "hunt").replace("Hund", "Hunt") + " ", "utf-8")
    errors = commands("translate", f"run={run}", f"ensemble=[{second},{other}]", text=TEXT, code=2)
    assert f"the target tokenizer of {other} is not that of {run}" in errors
    assert "there is no such folder" in commands("evaluate", f"run={run}", "ensemble=[nowhere]", code=2)


@pytest.fixture
def decided(run, tmp_path):
    """The run with output weights so large that a rounding shows."""
    folder = tmp_path / "decided"
    shutil.copytree(run, folder)
    file = folder / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(file, weights_only=False)
    checkpoint["state_dict"]["model.output.weight"] *= 30
    torch.save(checkpoint, file)
    return folder


def test_half_output_rounds_or_is_refused(commands, run, second, decided):
    if not packable(torch.zeros(2, 2, dtype=torch.bfloat16)):
        errors = commands("translate", f"run={run}", "half_output=true", text=TEXT, code=2)
        assert "half_output: it is for weights of float32 on a processor that multiplies bfloat16" in errors
        return
    exact, rounded = (
        [
            hypothesis["log_prob"]
            for line in told(commands, f"run={decided}", *asked)
            for hypothesis in line["translations"]
        ]
        for asked in ([], ["half_output=true"])
    )
    assert rounded == pytest.approx(exact, rel=0.1)
    assert rounded != exact
    assert told(commands, f"run={run}", f"ensemble=[{second}]", "half_output=true")
