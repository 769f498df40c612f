"""A multirun that is started again in the same place, and one that is killed."""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from multirun_files import by_seed, measured

from attnlab.cli.multirun.comparing_after import compare_jobs
from attnlab.errors import ConfigError


def test_what_is_missing_is_run(commands, tiny):
    commands("train", "-m", "seed=1,2", "sweep_name=again", *tiny)
    latest = commands.root / "sweeps" / "again" / "latest"
    sweep = latest.resolve()
    jobs = by_seed(sweep)
    before = {seed: measured(job) for seed, job in jobs.items()}
    untouched = (jobs[1] / "metrics.json").stat().st_mtime_ns
    # Killed while it was tested, or before its last file was written:
    (jobs[2] / "finished.json").unlink()
    (jobs[2] / "test.jsonl").unlink()

    told = commands("train", "-m", "seed=1,2,3", "sweep_name=again", "resume=latest", "compare_after=true", *tiny)
    assert latest.resolve() == sweep
    assert f"finished before: {jobs[1]}" in told
    assert f"goes on from its last checkpoint: {jobs[2]}" in told
    assert "\n[1 of 3] seed=1\n" in told
    assert re.search(r"\n\[3 of 3\] seed=3: val/bleu [\d.]+, \d+ s\n", told)
    rows = [re.findall(r"[\w.]+", line) for line in told.splitlines() if re.match("│ [123] ", line)]
    assert [row[:2] for row in rows] == [["1", "before"], ["2", "finished"], ["3", "finished"]]
    with (sweep / "summary.csv").open(encoding="utf-8") as file:
        kept = [(row["seed"], float(row["test/bleu"])) for row in csv.DictReader(file)]
    assert kept == [(str(seed), measured(job)["test/bleu"]) for seed, job in sorted(by_seed(sweep).items())]
    assert f"multirun: {sweep}\n" in told
    assert "no difference" in told.split(f"multirun: {sweep}\n")[1] or "Quality on test" in told
    (comparison,) = re.findall(r"\nfiles: (\S+) \(.*report\.html", told)
    assert Path(comparison, "report.html").is_file()
    again = by_seed(sweep)
    assert set(again) == {1, 2, 3}
    assert (again[1], again[2]) == (jobs[1], jobs[2])
    assert (jobs[1] / "metrics.json").stat().st_mtime_ns == untouched
    assert {seed: measured(again[seed]) for seed in (1, 2)} == before
    assert (jobs[2] / "test.jsonl").is_file()


def test_a_comparison_that_fails_loses_nothing(tmp_path, monkeypatch, capsys):
    def fail(_):
        raise ConfigError("runs that cannot be compared")

    monkeypatch.setattr("attnlab.cli.app.attempt", fail)
    typed = list(sys.argv)
    assert str(compare_jobs(tmp_path)) == "runs that cannot be compared"
    assert f"the runs are whole; again: python compare.py runs={tmp_path}\n" in capsys.readouterr().err
    assert sys.argv == typed


def test_one_run_has_nothing_to_be_compared_with(commands, tiny):
    assert "a multirun has, with -m" in commands("train", "compare_after=true", *tiny, code=2)


def test_goes_on_with_a_multirun_that_is_there(commands, tiny):
    told = commands("train", "-m", "sweep_name=nothing", "resume=latest", *tiny, code=2)
    assert "resume=latest: there is no such multirun" in told
    assert not (commands.root / "sweeps" / "nothing").exists()


@pytest.fixture(scope="session")
def kill_sweep(project_root):
    """The script, which finds what it imports beside itself."""
    return project_root / "benchmarks" / "kill_sweep.py"


@pytest.mark.long
def test_killed_and_started_again_it_ends_as_if_left_alone(kill_sweep, tmp_path):
    """Two kills here; ``benchmarks/kill_sweep.py`` alone has a hundred, of fourteen configurations."""
    command = [sys.executable, kill_sweep, "--kills", "2", "--only", "default", "--processes", "1"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout[done.stdout.index("{") :])
    assert result["kills"] == result["kills_whose_training_ended_bit_for_bit"] == 2
    assert result["configurations"]["default"]["compared_values"] > 50


def test_the_comparison_sees_a_difference(kill_sweep, monkeypatch):
    monkeypatch.syspath_prepend(kill_sweep.parent)
    spec = importlib.util.spec_from_file_location("kill_sweep", kill_sweep)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    job = {"test/loss": 1.0, "test.jsonl": "x"}
    assert module.differing({"a": job}, {"a": dict(job)}) == []
    assert module.differing({"a": job}, {"a": job | {"test/loss": 1.5}}) == ["a: test/loss"]
    assert module.differing({"a": job}, {}) == ["a: test.jsonl", "a: test/loss"]
