"""The table that closes a multirun, of made-up jobs."""

import csv
import json

import pytest
import yaml

from attnlab.cli.multirun.attempt import DONE, Note
from attnlab.cli.multirun.summary import CSV, MARKDOWN, Summary
from attnlab.console import console
from attnlab.metrics.registry import find
from attnlab.runs.schema import described
from attnlab.runs.words import Words

SPLITS = ("test", "test_long")
QUANTITIES = ("bleu", "chrf", "ter", "ppl", "aer")


@pytest.fixture
def job(tmp_path):
    """Makes the folder of a job and returns what its process noted."""

    def make(number, *overrides, finished=None, failed=None, state=DONE, scores=31.234, seconds=125.0):
        folder = tmp_path / f"job-{number}"
        (folder / ".hydra").mkdir(parents=True)
        choices = {"attention": "luong_general"} | {o.split("=")[0]: o.split("=")[1] for o in overrides if "." not in o}
        parts = {
            "overrides": list(overrides), "config": {"seed": 1, "optimizer": {"lr": 0.002}},
            "hydra": {"hydra": {"runtime": {"choices": choices}}},
        }  # fmt: skip
        for name, content in parts.items():
            (folder / ".hydra" / f"{name}.yaml").write_text(yaml.safe_dump(content))
        if finished is not None:
            (folder / "finished.json").write_text(json.dumps({"score": finished, "trial": None}))
            metrics = {f"{split}/{name}": scores for split in SPLITS for name in QUANTITIES}
            metrics |= {"val/bleu": finished, "train/seconds": seconds, "attention": choices["attention"]}
            found = [find(name) for name in QUANTITIES]
            metrics |= described("translation", "target tokens", "val/bleu", list(SPLITS), {}, Words(), found)
            (folder / "metrics.json").write_text(json.dumps(metrics))
        if failed is not None:
            (folder / "failed.json").write_text(json.dumps(dict(zip(("error", "message"), failed, strict=True))))
        return Note(number, list(overrides), state, str(folder))

    return make


def shown(summary):
    terminal = console()
    terminal.width = 80
    with terminal.capture() as captured:
        terminal.print(summary.table(80))
    return captured.get()


def test_a_row_a_job(job, tmp_path):
    planned = [
        [f"attention={name}", f"seed={seed}", "trainer=smoke"] for name in ("none", "cosine") for seed in (1, 2, 3)
    ]
    job(0, *planned[0], finished=30.0)  # by an earlier start, of which no note is left
    notes = [
        job(1, *planned[1], finished=31.0),
        job(2, *planned[2], failed=("DataError", "no file"), state="failed: no file"),
        job(3, *planned[3], failed=("Interrupted", "interrupted by SIGTERM"), state="interrupted by SIGTERM"),
    ]
    job(4, *planned[4])  # killed
    summary = Summary(tmp_path, ("attention", "seed"), planned, notes)
    assert [row.state for row in summary.rows] == [
        "before", "finished", "failed", "interrupted", "interrupted", "not run",
    ]  # fmt: skip
    assert summary.counted == "2 of 6 jobs finished, 1 failed, 2 interrupted, 1 not run"
    assert summary.failures == ["attention=none seed=3: no file"]
    text = shown(summary)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for word in ("attention", "seed", "state", "interrupted", "31.00", "31.23", "minutes", "2.1", "test_long"):
        assert word in text
    summary.write()
    rows = list(csv.DictReader((tmp_path / CSV).read_text("utf-8").splitlines()))
    assert [(row["attention"], row["seed"], row["reason"]) for row in rows][2:4] == [
        ("none", "3", "no file"), ("cosine", "1", "interrupted by SIGTERM"),
    ]  # fmt: skip
    assert float(rows[1]["test_long/aer"]) == 31.234
    told = (tmp_path / MARKDOWN).read_text("utf-8")
    assert told.startswith(
        f"{summary.counted}.\n\n| attention | seed | state | val BLEU | test BLEU | test_long BLEU |"
    )
    assert told.endswith("\n\n- attention=none seed=3: no file\n")


def test_a_job_of_before_a_setting_varied_has_it_by_its_configuration(job, tmp_path):
    job(0, "attention=none", finished=30.0)
    planned = [["attention=none", "seed=1"], ["attention=none", "seed=2"]]
    summary = Summary(tmp_path, ("attention", "seed"), planned, [])
    assert [(dict(row.settings), row.state) for row in summary.rows] == [
        ({"attention": "none", "seed": "1"}, "before"), ({"attention": "none", "seed": "2"}, "not run"),
    ]  # fmt: skip


def test_names_are_whole_however_long(job, tmp_path):
    name = "neural_coverage_with_a_name_that_takes_more_than_half_of_the_line"
    summary = Summary(tmp_path, ("attention",), [], [job(0, f"attention={name}", finished=30.0)])
    text = shown(summary)
    assert max(map(len, text.splitlines())) <= 80
    assert name in "".join(line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│"))


def test_a_search_begins_with_the_best(job, tmp_path):
    notes = [
        job(0, "optimizer.lr=1", finished=10.0),
        job(1, "optimizer.lr=2", finished=30.0),
        job(2, "optimizer.lr=3", failed=("ConfigError", "no")),
        job(3, "optimizer.lr=4", finished=20.0),
    ]
    found = Summary(tmp_path, ("optimizer.lr",), [], notes, ranked=True)
    assert [row.settings["optimizer.lr"] for row in found.rows] == ["2", "4", "1", "3"]
    assert found.best.folder == tmp_path / "job-1"
    assert Summary(tmp_path, ("optimizer.lr",), [], notes).best is None
