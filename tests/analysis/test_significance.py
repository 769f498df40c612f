"""The paired tests give the very numbers of sacreBLEU's command line on the same outputs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from some_often import some_often
from texts import corrupted, references

from attnlab.analysis.runs import Run, read_run
from attnlab.analysis.significance import PairedTests
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.registry import find
from attnlab.metrics.text_scores import TextScore

NAMES = {"bleu": "BLEU", "chrf": "chrF2", "ter": "TER"}


@pytest.fixture
def runs(write_run: Any) -> list[Run]:
    targets = {"test": references(60)}
    shares = (0.2, 0.2, 0.3)
    outputs = [{"test": corrupted(targets["test"], share, seed)} for seed, share in enumerate(shares)]
    outputs.append({"test": outputs[0]["test"][:-3] + targets["test"][-3:]})  # nearly the same: ties among shuffles
    return [read_run(write_run(str(n), seed=n, outputs=out, targets=targets)) for n, out in enumerate(outputs)]


def command_line(folder: Path, runs: list[Run], kind: str, metric: str, seed: int) -> list[float]:
    """The p-values that ``sacrebleu --paired-…`` prints, of every run but the first."""
    (folder / "ref").write_text("".join(f"{s.reference}\n" for s in runs[0].items("test")), "utf-8")
    for number, run in enumerate(runs):
        (folder / f"out{number}").write_text("".join(f"{s.output}\n" for s in run.items("test")), "utf-8")
    files = [f"out{number}" for number in range(len(runs))]
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", *files, "-m", metric, f"--paired-{kind}", "-w", "6"]
    environment = {"SACREBLEU_SEED": str(seed), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    shown = ["-f", "text"] if kind == "bs" else ["-f", "json"]  # the bootstrap in JSON breaks off with an error
    done = subprocess.run([*command, *shown], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    if kind == "ar":
        return [system[NAMES[metric]]["p_value"] for system in json.loads(done.stdout)[1:]]
    return [float(p) for p in re.findall(r"\(p = ([0-9.]+)\)", done.stdout)]


@pytest.mark.parametrize("seed", some_often([12345, 7]))
@pytest.mark.parametrize("kind", ["bs", "ar"])
@pytest.mark.parametrize("metric", ["bleu", "chrf", "ter"])
def test_numbers_are_those_of_the_command_line(
    runs: list[Run], tmp_path: Path, metric: str, kind: Any, seed: int
) -> None:
    if seed != 12345 and metric != "bleu":
        pytest.skip("the seed does not depend on the metric")
    expected = command_line(tmp_path, runs, kind, metric, seed)
    quantity = find(metric)
    assert isinstance(quantity, TextScore)
    rows = {run: run.rows(quantity, "test") for run in runs[:2]}  # known of some runs, counted again of the others
    found = PairedTests(quantity, "test", seed, rows)(kind, runs[0], runs[1:])
    assert len(expected) == len(found) == 3
    assert [result.p for result in found] == pytest.approx(expected, abs=0.5e-4 if kind == "bs" else 0)
    for run, result in zip(runs[1:], found, strict=True):
        assert result.score == pytest.approx(run.metric(f"test/{metric}"))
        assert result.baseline_score == pytest.approx(runs[0].metric(f"test/{metric}"))


def test_signatures_name_test_draws_and_seed(runs: list[Run]) -> None:
    tests = PairedTests(BLEU, "test", 7)
    tests("bs", runs[0], runs[1:2])
    tests("ar", runs[0], runs[1:2])
    assert tests.signatures["bs"] == "nrefs:1|bs:1000|seed:7|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
    assert tests.signatures["ar"].startswith("nrefs:1|ar:10000|seed:7|case:mixed")
