"""A multirun that is started again in the same place, and one that is killed."""

import importlib.util
import json

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
    spec = importlib.util.spec_from_file_location("kill_sweep", project_root / "benchmarks" / "kill_sweep.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_killed_and_started_again_it_ends_as_if_left_alone(kill_sweep, tmp_path, monkeypatch):
    """Two kills here; ``benchmarks/kill_sweep.py`` has more of them, and jobs that take longer."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(kill_sweep, "JOBS", ("attention=luong_general", "seed=1,2"))
    result = kill_sweep.compare(tmp_path, 2, ["dataset.train_size=400", "trainer.max_epochs=2"])
    assert result["jobs"] == 2
    assert any(kill["at_work"] for kill in result["kills"])
    assert result["compared_values"] > 50
    assert result["differences"] == []


def test_the_comparison_sees_a_difference(kill_sweep, tmp_path):
    for name, loss in (("a", 1.0), ("b", 1.5)):
        job = tmp_path / name / "sweep" / "job"
        job.mkdir(parents=True)
        (job / "metrics.json").write_text(json.dumps({"test/loss": loss, "train/seconds": loss}), "utf-8")
        (job / "finished.json").write_text("{}", "utf-8")
        (job / "test.jsonl").write_text("x\n", "utf-8")
    first, second = (kill_sweep.results(tmp_path / name)["job"] for name in "ab")
    assert kill_sweep.differing(first, second) == ["test/loss"]
    assert sorted(kill_sweep.differing(first, {})) == ["score", "test.jsonl", "test/loss"]
