"""A signal ends a command with 128 and its number; what was trained is kept, and going on is exact."""

import json
import re
import signal
from pathlib import Path

import pytest
from filelock import FileLock
from multirun_files import measured

# Several updates an epoch, dropout, two epochs.
RUN = (
    "logger=none", "dataset.train_size=160", "data.batch_size=32", "dataset.val_size=20", "dataset.test_size=20",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8", "model.dropout=0.2",
    "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "callbacks.attention_maps=null",
    "callbacks.run_files.figures=0",
)  # fmt: skip


@pytest.fixture(scope="module")
def send(commands):
    """Run train.py, and let a signal come at a moment of it; returns what was said on standard error."""

    def run(name, hook, *arguments, step=0, multirun=(), **settings):
        sender = [f"+callbacks.send={{_target_:sender.Send,name:{name},hook:{hook},step:{step}}}"]
        path = {"PYTHONPATH": str(Path(__file__).parent)} | settings.pop("environment", {})
        code = 128 + getattr(signal, name)
        return commands("train", *multirun, *RUN, *sender, *arguments, code=code, environment=path, **settings)

    return run


@pytest.fixture(scope="module")
def undisturbed(commands):
    commands("train", *RUN, f"hydra.run.dir={commands.root}/undisturbed")
    return commands.root / "undisturbed"


def curve(run):
    points = map(json.loads, (run / "history.jsonl").read_text("utf-8").splitlines())
    return [{name: value for name, value in point.items() if name != "seconds"} for point in points]


@pytest.mark.parametrize(
    ("name", "hook", "step", "saved"),
    [
        ("SIGTERM", "on_train_batch_start", 2, True),
        pytest.param("SIGINT", "on_validation_start", 0, True, marks=pytest.mark.long),
        pytest.param("SIGUSR1", "on_test_start", 0, True, marks=pytest.mark.long),
        pytest.param("SIGUSR2", "on_train_start", 0, False, marks=pytest.mark.long),
        pytest.param("SIGHUP", "setup", 0, False, marks=pytest.mark.long),
        ("SIGINT", "on_validation_batch_start", 0, True),
        pytest.param("SIGTERM", "on_test_batch_start", 0, True, marks=pytest.mark.long),
    ],
)
def test_it_ends_cleanly_and_goes_on_exactly(name, hook, step, saved, send, commands, undisturbed, tmp_path):
    folder = tmp_path / "run"
    told = send(name, hook, f"hydra.run.dir={folder}", step=step)
    assert f"interrupted by {name}: {folder}\n" in told
    assert told.endswith(f"to go on: python train.py resume={folder}\n")
    assert (folder / "checkpoints" / "last.ckpt").is_file() == saved
    assert json.loads((folder / "failed.json").read_text("utf-8"))["message"] == f"interrupted by {name}"
    assert not (folder / "finished.json").exists()

    command = re.search("to go on: python train.py (.*)", told)[1]
    output = commands("train", command, "~callbacks.send")
    assert f"goes on with {folder}\n  callbacks.send" in output
    assert curve(folder) == curve(undisturbed)
    assert measured(folder) == measured(undisturbed)
    assert (folder / "test.jsonl").read_bytes() == (undisturbed / "test.jsonl").read_bytes()
    assert (folder / "finished.json").is_file()
    assert not (folder / "failed.json").exists()


def test_a_multirun_ends_and_its_other_jobs_are_named(send, commands):
    grid = ["seed=1,2,3", "sweep_name=signalled"]
    told = send("SIGTERM", "on_train_batch_start", *grid, step=1, multirun=["-m"])
    assert "interrupted by SIGTERM; 0 of 3 jobs finished, 1 interrupted, 2 not run\n" in told
    rows = [re.findall(r"\w[\w ]*\w|\d", line) for line in commands.printed.splitlines() if line.startswith("│ ")]
    assert rows[-3:] == [["1", "interrupted"], ["2", "not run"], ["3", "not run"]]
    sweep = (commands.root / "sweeps" / "signalled" / "latest").resolve()
    assert told.endswith(f"to go on: python train.py -m resume={sweep}\n")
    assert len(list(sweep.glob("*/.hydra"))) == 1
    assert not list(sweep.glob(".attempt-*"))


@pytest.mark.long
def test_on_a_cluster_the_job_is_not_put_in_line_again_by_lightning_too(send, tmp_path):
    called = tmp_path / "called"
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho $@ >> {called}\n", "utf-8")
    (tmp_path / "scontrol").chmod(0o755)
    slurm = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0",
             "SLURM_JOB_NAME": "train", "SLURM_NODELIST": "localhost", "PATH": f"{tmp_path}:/usr/bin:/bin"}  # fmt: skip
    for name in ("SIGUSR1", "SIGTERM"):
        send(name, "on_train_batch_start", f"hydra.run.dir={tmp_path}/{name}", step=1, environment=slurm)
    assert not called.exists()


def test_one_process_at_a_time_in_a_run_folder(commands, undisturbed):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    with FileLock(undisturbed / ".lock"):
        told = commands("train", f"resume={undisturbed}", "trainer.max_epochs=3", code=2)
    assert f"another process is at work in {undisturbed}" in told
    assert told.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


def test_the_log_has_what_was_said_and_why_it_failed(commands, undisturbed, tmp_path):
    log = (undisturbed / "train.log").read_text("utf-8")
    assert "INFO stdout: epoch 2/2  step 10" in log
    assert "perplexity" in log
    told = commands(
        "train", "logger=none", "dataset=parallel", "dataset.train=[none.en,none.de]", "dataset.source_language=en",
        "dataset.target_language=de", f"hydra.run.dir={tmp_path}", code=2,
    )  # fmt: skip
    reason = json.loads((tmp_path / "failed.json").read_text("utf-8"))
    assert reason["error"] == "DataError"
    assert reason["message"] in told
    assert reason["update"] == 0
    assert reason["traceback"] == []  # the message says it all
    log = (tmp_path / "train.log").read_text("utf-8")
    assert "Traceback (most recent call last)" in log
    assert "DataError" in log
