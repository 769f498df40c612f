"""``attnlab explain`` of translations: two seeds held against each other, and what it refuses."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

QUICK = ("items=3", "steps=2", "permutations=2", "starts=0", "captum=false", "figures=false", "name=quick")


def lines(folder):
    return [
        json.loads(line) for line in (folder / "explanations/quick/explanation.jsonl").read_text("utf-8").splitlines()
    ]


def entropy(a):
    return -sum(x * math.log(x) for x in a if x)


@pytest.fixture(scope="module")
def seeds(commands, run, tiny):
    other = Path(commands("train", *tiny, "seed=2").split("files:")[1].strip())
    commands("explain", f"run={run}", *QUICK)
    printed = commands("explain", f"run={other}", *QUICK, f"others=[{run}]")
    return run, other, printed


def test_seeds_agree_as_far_as_their_weights_say(seeds):
    run, other, printed = seeds
    assert "divergence of other runs" in printed
    first, second = lines(run), lines(other)
    assert len(first) == len(second) == 6
    found = []
    for one, two in zip(first, second, strict=True):
        assert (one["number"], one["step"], one["positions"]) == (two["number"], two["step"], two["positions"])
        a, b = (np.array(line["rankings"]["attention"]) / sum(line["rankings"]["attention"]) for line in (one, two))
        expected = entropy((a + b) / 2) - (entropy(a) + entropy(b)) / 2
        found.append(two["measures"]["agreement_divergence"])
        assert found[-1] == pytest.approx(expected, abs=1e-9)
        assert "agreement_divergence" not in one["measures"]
    told = json.loads((other / "explanations/quick/explanation.json").read_text("utf-8"))
    assert told["explanation/agreement_divergence"] == pytest.approx(np.mean(found))


def test_runs_that_were_not_explained_are_named(commands, seeds):
    run, other, _ = seeds
    said = commands("explain", f"run={other}", *QUICK[:-1], "name=new", f"others=[{run}]", code=2)
    assert "explain that run first, with name=new" in said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("baselines=[adversary]", "an item of translation is none; leave baselines out"),
        ("words=true", "does not read by"),
    ],
)
def test_what_a_translation_cannot_be_asked(commands, run, asked, told):
    assert told in commands("explain", f"run={run}", *QUICK, asked, code=2)


def test_a_report_shows_the_instances_that_differ_most(commands, seeds, tmp_path):
    """An instance has no reference, and the page does without."""
    folders = [Path(shutil.copytree(run, tmp_path / f"{number}")) for number, run in enumerate(seeds[:2])]
    config = folders[1] / ".hydra" / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("lr: ", "lr: 1"), "utf-8")
    named = ",".join(map(str, folders))
    commands("compare", f"runs=[{named}]", "explanation=quick", "metric=uniform_change", f"output={tmp_path / 'to'}")
    assert "better by" in (tmp_path / "to" / "report.html").read_text("utf-8")
