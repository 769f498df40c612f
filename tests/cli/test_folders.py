"""Names of run folders: free of collisions, safe in file systems and on command lines."""

import re
from pathlib import Path

import pytest
from composing import compose
from omegaconf import OmegaConf

from attnlab.cli import folders
from attnlab.cli.errors import MistakesError
from attnlab.errors import StorageError


def test_jobs_of_the_same_second_get_folders_of_their_own(tmp_path):
    folders.register()
    config = OmegaConf.create({"dir": f"{tmp_path}/${{stamp:}}"})
    reserved = []
    for _ in range(3):
        folders.stamp("2026-11-23_10-00-00")
        reserved.append(folders.reserve(lambda: Path(config.dir)))
    assert len(set(reserved)) == 3
    assert all(path.is_dir() for path in reserved)
    assert Path(config.dir) == reserved[-1], "the run goes elsewhere than to the folder reserved for it"


def test_a_folder_that_the_user_names_is_used_again(tmp_path):
    fixed = tmp_path / "mine"
    assert folders.reserve(lambda: fixed) == folders.reserve(lambda: fixed) == fixed


def composed(*overrides):
    """The configuration of a job with these settings, composed afresh."""
    folders.register()
    return compose(*overrides, return_hydra_config=True)


def test_names_of_jobs(tmp_path):
    """The settings that vary, and the seed whether it does or not; then the digits."""
    job = composed("attention=luong_dot", "encoder.hidden_dim=8", "decoder.hidden_dim=16", "seed=2")
    for varying, start in (
        (["attention", "seed"], "luong_dot_seed-2"),
        (["encoder.hidden_dim", "attention"], "hidden_dim-8_luong_dot_seed-2"),
        ([], "seed-2"),
        (None, "luong_dot_encoder.hidden_dim-8_decoder.hidden_dim-16_seed-2"),
    ):
        found = folders.job_folder(str(tmp_path), varying, job)
        assert re.fullmatch(rf"{re.escape(start)}-[0-9a-f]{{8}}", found), found
    assert folders.job_folder(str(tmp_path), ["attention"], composed()).startswith("seed-1-")


def test_a_job_is_its_whole_configuration():
    job = folders.identity(composed("attention=bahdanau", "seed=2"))
    same = [
        ("seed=2", "attention=bahdanau"),
        ("seed=2", "attention=bahdanau", "decoder=bahdanau"),  # said, what the preset brings along anyway
        (
            "attention=bahdanau",
            "seed=2",
            "logger=none",
            "sweep_name=x",
            "resume=latest",
            "compare_after=true",
            "paths.root=/elsewhere",
        ),
    ]
    other = [
        ("attention=bahdanau", "seed=1"),
        ("attention=bahdanau", "seed=2", "trainer=smoke"),
        ("attention=bahdanau", "seed=2", "callbacks.early_stopping.patience=1"),
        ("attention=bahdanau", "seed=2", "ckpt_path=a.ckpt"),
        ("attention=bahdanau", "seed=2", "dataset=tatoeba"),
    ]
    assert {folders.identity(composed(*settings)) for settings in same} == {job}
    others = {folders.identity(composed(*settings)) for settings in other}
    assert len(others) == len(other)
    assert job not in others


def test_the_same_job_in_other_words_has_the_folder_that_is_there(tmp_path):
    first = folders.job_folder(str(tmp_path), ["attention"], composed("attention=luong_general"))
    (tmp_path / first).mkdir()
    assert (
        folders.job_folder(str(tmp_path), ["attention", "seed"], composed("attention=luong_general", "seed=1")) == first
    )
    assert folders.job_folder(str(tmp_path), ["attention", "seed"], composed("seed=2")) != first


def test_latest_leads_to_the_newest_multirun(tmp_path):
    sweeps = tmp_path / "sweeps" / "mine"
    for name in ("2026-01-01_00-00-00", "2026-01-02_00-00-00"):
        (sweeps / name).mkdir(parents=True)
        folders.link_latest(sweeps, sweeps / name)
    assert (sweeps / "latest").resolve() == sweeps / "2026-01-02_00-00-00"
    assert (sweeps / "latest").readlink() == Path("2026-01-02_00-00-00"), "the folder of all results can be moved"
    (tmp_path / "elsewhere").mkdir()
    for job, trial in (("a", "null"), ("b", '"limit_train_batches=2"')):
        (sweeps / "2026-01-02_00-00-00" / job / ".hydra").mkdir(parents=True)
        (sweeps / "2026-01-02_00-00-00" / job / "finished.json").write_text(f'{{"score": 1, "trial": {trial}}}')
    folders.link_latest(sweeps, tmp_path / "elsewhere", trial=True)
    assert (sweeps / "latest").resolve() == sweeps / "2026-01-02_00-00-00", "a trial took the place of results"
    folders.link_latest(sweeps, tmp_path / "elsewhere")
    assert (sweeps / "latest").resolve() == tmp_path / "elsewhere"


def test_the_multirun_to_go_on_with(tmp_path, monkeypatch):
    sweeps = tmp_path / "sweeps" / "mine"
    old = sweeps / "2026-01-01_00-00-00"
    old.mkdir(parents=True)
    folders.link_latest(sweeps, old)
    assert folders.sweep_folder(str(sweeps), "now", None) == str(sweeps / "now")
    newer = sweeps / "2026-01-03_00-00-00"
    newer.mkdir()
    (newer / "command.json").touch()  # the link leads past a trial that was started later
    assert folders.sweep_folder(str(sweeps), "now", "latest") == str(newer)
    (newer / "command.json").unlink()
    for resume in ("latest", "2026-01-01_00-00-00", str(old)):
        assert folders.sweep_folder(str(sweeps), "now", resume) == str(old)
    monkeypatch.chdir(tmp_path)
    assert folders.sweep_folder(str(sweeps), "now", "sweeps/mine/latest") == str(old)
    with pytest.raises(MistakesError, match="did you mean latest"):
        folders.check_resume("lates", sweeps, Path(folders.sweep_folder(str(sweeps), "now", "lates")))


def test_a_file_in_the_place_of_a_results_folder_is_told(tmp_path):
    (tmp_path / "evaluations").touch()
    for path in (tmp_path / "evaluations", tmp_path / "evaluations" / "deeper"):
        with pytest.raises(
            StorageError, match=f"move away the file {tmp_path}/evaluations, where a folder is expected"
        ):
            folders.reserve(lambda path=path: path)
