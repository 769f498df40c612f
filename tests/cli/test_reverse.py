"""Reranking by a run of the other direction, against stepping through its sentences word by word."""

import json
import shutil

import pytest
import torch

from attnlab.cli.reverse import NEVER, ReverseModel
from attnlab.search.beam import Beam
from attnlab.types import BOS, EOS, ConfigError

LINES = ["the dog sleeps .", "an old house stands in the garden ."]
TEXT = "".join(f"{line}\n" for line in LINES)


@pytest.fixture(scope="module")
def other(run, tmp_path_factory):
    """The same run, said to read German and write English: what it finds likely is its own affair."""
    folder = tmp_path_factory.mktemp("other") / "run"
    shutil.copytree(run, folder)
    for side, language in (("source", "de"), ("target", "en")):
        file = folder / "tokenizer" / f"{side}.json"
        saved = json.loads(file.read_text("utf-8"))
        saved["settings"]["language"] = language
        file.write_text(json.dumps(saved, ensure_ascii=False), "utf-8")
    return folder


@pytest.fixture(autouse=True)
def results(monkeypatch, tmp_path):
    """Where runs are looked for in this process, too."""
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))


def told(commands, *arguments):
    return [json.loads(line) for line in commands("translate", *arguments, "format=json", text=TEXT).splitlines()]


@torch.inference_mode()
def step_by_step(reverse, said, line):
    """ln p(line | said), a word at a time."""
    model, source, target = reverse
    ids, words = torch.tensor([source.encode(said)]), [*target.encode(line), EOS]
    memory, state = model.initial_state(ids, torch.ones_like(ids, dtype=torch.bool), 1)
    total, previous = 0.0, BOS
    for word in words:
        step = model.advance(torch.tensor([previous]), memory, state)
        total, previous, state = total + step.log_probs[0, word].item(), word, step.state
    return total


def test_the_score_has_what_the_other_direction_says(commands, run, other):
    candidates = ("search.candidates.beam=4", "search.candidates.n_best=4")
    asked = ("search=reverse", f"search.run={other}", "search.weight=0.5", "search.n_best=4", *candidates)
    found = told(commands, f"run={run}", *asked)
    plain = told(commands, f"run={run}", "search=beam", "search.beam=4", "search.n_best=4")
    reverse = ReverseModel(Beam(beam=4, n_best=4), str(other), device="cpu").reverse
    for line, ours, theirs in zip(LINES, found, plain, strict=True):
        expected = {
            item["text"]: item["score"] + 0.5 * step_by_step(reverse, item["text"], line)
            for item in reversed(theirs["translations"])
            if item["text"]
        }
        said = [item for item in ours["translations"] if item["text"]]
        assert {item["text"]: item["score"] for item in said} == pytest.approx(expected, abs=1e-3)
        scores = [item["score"] for item in said]
        assert scores == sorted(scores, reverse=True)


def test_a_translation_that_says_nothing_explains_nothing(other):
    search = ReverseModel(Beam(beam=4, n_best=4), str(other), device="cpu")
    (nothing, something) = search.log_probs([("", "a dog ."), ("ein Hund .", "a dog .")])
    assert nothing == NEVER < something < 0


def test_runs_of_the_wrong_direction_are_refused(commands, run):
    errors = commands("translate", f"run={run}", "search=reverse", f"search.run={run}", text=TEXT, code=2)
    assert "translates en to de, and this run en to de: expected one of de to en" in errors
    errors = commands("translate", f"run={run}", "search=reverse", text=TEXT, code=2)
    assert "name the run that translates the other way, search.run=<folder>" in errors
    with pytest.raises(ConfigError, match="gives 1 of a sentence"):
        ReverseModel(Beam(beam=4), str(run))
