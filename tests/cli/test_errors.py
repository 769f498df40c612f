"""What a user reads when a command fails, and the exit codes."""

import errno
import gc
import os
import pickle
import re
import sys

import pytest

from attnlab.cli import app
from attnlab.cli.errors import FailedJobError, MistakesError, in_short, message, nearest, report
from attnlab.cli.folders import reserve
from attnlab.errors import StorageError
from attnlab.types import ConfigError, DataError


def test_nearest():
    assert nearest("luong_dto", ["luong_dot", "bahdanau"]) == "did you mean luong_dot?"
    assert nearest("zzz", ["b", "a", "a"]) == "there is a, b"
    assert nearest("zzz", []) == "there is none"


def test_mistakes_are_numbered_and_indented():
    assert message(MistakesError(["one thing"])) == "Error: one thing"
    assert message(MistakesError(["one", "two\nlines"])) == (
        "2 mistakes in the configuration:\n  1. one\n  2. two\n     lines"
    )


def raised(error, cause=None):
    """The error as it is when it has been raised: with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


@pytest.mark.parametrize("kind", [ConfigError, DataError])
def test_settings_and_data_have_no_traceback(kind, capsys):
    assert report(raised(RuntimeError("outer"), kind("what to change"))) == 2
    assert capsys.readouterr().err == "Error: what to change\n"


def test_a_bug_keeps_its_traceback(capsys):
    assert report(raised(IndexError("list index out of range"))) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "test_errors.py" in told


def test_a_bug_in_short_names_the_last_code_that_is_of_no_library():
    told = in_short(raised(IndexError("list index out of range")))
    assert re.fullmatch(rf"IndexError: list index out of range \({re.escape(__file__)}, line \d+, in raised\)", told)


def test_the_full_story_on_request(capsys):
    assert report(raised(ConfigError("what to change")), full=True) == 2
    assert "Traceback" in capsys.readouterr().err


def test_what_a_job_has_told_is_not_told_again(capsys):
    assert report(raised(FailedJobError("x"))) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [MistakesError(["one", "two\nlines"]), FailedJobError("x")])
def test_errors_travel_between_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert message(again) == message(error)


@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG]
)
def test_what_the_disk_refuses_is_one_line(number, capsys):
    """As Hydra meets it, which writes the configuration into the run folder."""
    assert report(OSError(number, os.strerror(number), "outputs/run/.hydra")) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Error: outputs/run/.hydra: {os.strerror(number)}")
    assert told.count("\n") == 1


def test_a_run_folder_that_cannot_be_made_is_one_line(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(StorageError, match=r"cannot write .*run: Read-only file system"):
        reserve(lambda: tmp_path / "run")


def test_what_was_composed_is_set_aside_before_a_mistake_is_told(monkeypatch):
    """Else the collector goes through it three times on the way out: a third of the time to a mistake."""

    def wrong(overrides):
        held.append([object() for _ in range(1000)])
        raise MistakesError(["wrong"])

    held = []
    monkeypatch.setattr("sys.argv", ["train.py"])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    gc.unfreeze()
    try:
        with pytest.raises(MistakesError):
            app.attempt(app.Command(wrong, dict, "", prepare=wrong))
        assert not any(item is held[0] for item in gc.get_objects())
        assert gc.isenabled()
    finally:
        gc.unfreeze()
