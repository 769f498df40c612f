"""Finding runs and checkpoints."""

import os

import pytest

from attnlab.cli.errors import MistakesError
from attnlab.cli.runs import checkpoint_file, evaluation_name, find, resume_from, wanted


@pytest.fixture
def two_runs(tmp_path, monkeypatch):
    """An older single run and a younger job of a multirun."""
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders = [tmp_path / "outputs" / "grammar" / "none" / "a", tmp_path / "sweeps" / "multirun" / "b" / "0_none"]
    for age, folder in zip((200, 100), folders, strict=True):
        for name in (".hydra/config.yaml", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        (folder / "finished.json").write_text('{"score": 1.0, "trial": null}')
        time = folder.stat().st_mtime - age
        os.utime(folder / "checkpoints", (time, time))
    return folders


def test_latest_is_the_youngest_of_single_runs_and_multiruns(two_runs):
    assert find("latest") == two_runs[1]
    os.utime(two_runs[0] / "checkpoints")
    assert find("latest") == two_runs[0]


@pytest.mark.parametrize(
    ("finished", "failed", "told"),
    [
        ('{"score": 1.0, "trial": "limit_train_batches=2"}', None, r"is a trial \(limit_train_batches=2\)"),
        (None, '{"error": "Interrupted", "message": "interrupted by SIGINT"}', r"was interrupted \(interrupted by SIG"),
        (None, '{"error": "DataError", "message": "no file"}', r"failed \(DataError: no file\)"),
        (None, None, "was interrupted: "),  # killed without a word
    ],
)
def test_what_is_no_result_is_not_the_latest_but_can_be_named(two_runs, finished, failed, told):
    """The younger run, then the older one, too."""
    old, young = two_runs
    for run, expected in ((young, None), (old, told)):
        for name, text in (("finished.json", finished), ("failed.json", failed)):
            (run / name).unlink(missing_ok=True)
            if text is not None:
                (run / name).write_text(text)
        if expected is None:
            assert find("latest") == old
        else:
            with pytest.raises(MistakesError, match=told) as error:
                find("latest")
            assert str(error.value).endswith(f"run={young}")
    assert find("latest", "resume") == old  # the only one in outputs/
    assert find(str(young)) == young


def test_a_path_from_here_or_from_the_project_folder(two_runs, tmp_path, monkeypatch):
    assert find("outputs/grammar/none/a") == two_runs[0]
    monkeypatch.chdir(two_runs[0].parent)
    assert find("a").resolve() == two_runs[0].resolve()


def test_what_is_no_run_is_told(two_runs, tmp_path, monkeypatch):
    with pytest.raises(MistakesError, match="did you mean a"):
        find(str(two_runs[0].parent / "aa"))
    with pytest.raises(MistakesError, match=f"the last run is {two_runs[0]}"):
        find("/nope", "resume")
    with pytest.raises(MistakesError, match="it is a multirun, choose one of its jobs: 0_none"):
        find(str(two_runs[1].parent))
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path / "empty"))
    with pytest.raises(MistakesError, match="there is no trained run"):
        find("latest")


def test_the_run_named_on_the_command_line():
    assert wanted(["search=beam"]) == "latest"
    assert wanted(["run=a", "search=beam", "run=2024"]) == "2024"
    with pytest.raises(MistakesError, match="one"):
        wanted(["run=a,b"])


def test_checkpoints(two_runs):
    run = two_runs[0]
    assert checkpoint_file(run, "last") == run / "checkpoints" / "last.ckpt"
    assert checkpoint_file(run, str(run / "checkpoints" / "best.ckpt")) == run / "checkpoints" / "best.ckpt"
    with pytest.raises(MistakesError, match="there is no file"):
        checkpoint_file(run, "bset")
    assert resume_from(None) is None
    assert resume_from(str(run)) == str(run / "checkpoints" / "last.ckpt")
    with pytest.raises(MistakesError, match="give a checkpoint or a run folder"):
        resume_from("nowhere")


def test_names_of_evaluations():
    assert evaluation_name("") == "recorded"
    assert evaluation_name("search.beam=10,search=beam") == "beam-10_beam"
    assert evaluation_name("captum=false,dataset=sst,split=null") == "captum-false_sst_split-null"
    assert "/" not in evaluation_name("dataset.train=a/b.tsv")
