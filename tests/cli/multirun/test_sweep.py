"""A multirun that is started again in the same place, and one that is killed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from multirun_files import by_seed, measured


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

    told = commands("train", "-m", "seed=1,2,3", "sweep_name=again", "resume=latest", *tiny)
    assert latest.resolve() == sweep
    assert f"finished before: {jobs[1]}" in told
    assert f"goes on from its last checkpoint: {jobs[2]}" in told
    again = by_seed(sweep)
    assert set(again) == {1, 2, 3}
    assert (again[1], again[2]) == (jobs[1], jobs[2])
    assert (jobs[1] / "metrics.json").stat().st_mtime_ns == untouched
    assert {seed: measured(again[seed]) for seed in (1, 2)} == before
    assert (jobs[2] / "test.jsonl").is_file()


def test_goes_on_with_a_multirun_that_is_there(commands, tiny):
    told = commands("train", "-m", "sweep_name=nothing", "resume=latest", *tiny, code=2)
    assert "resume=latest: there is no such multirun" in told
    assert not (commands.root / "sweeps" / "nothing").exists()


@pytest.fixture(scope="session")
def kill_sweep(project_root):
    """The script, which finds what it imports beside itself."""
    return project_root / "benchmarks" / "kill_sweep.py"


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
