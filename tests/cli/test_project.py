"""The current folder is the user's project: its conf/, its modules and whom it trusts are found without being named."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from pytorch_lightning.strategies.launchers import subprocess_script

from attnlab.api.commands import typed
from attnlab.cli import main, project
from attnlab.cli.app import read_flags
from attnlab.cli.multirun.resume_multirun import another
from attnlab.errors import ConfigError

SCORE = """
from attnlab.attention.scores.luong_dot import LuongDot

class Mine(LuongDot):
    pass
"""
PRESET = """
defaults:
  - luong_dot
  - _self_
score:
  _target_: my_score.Mine
"""
LINE = "the dog sleeps .\n"


def fill(folder, module=SCORE, **options):
    """A project: a module and options of ``attention`` in a folder."""
    (folder / "conf" / "attention").mkdir(parents=True)
    (folder / "my_score.py").write_text(module, "utf-8")
    for name, text in ({"mine": PRESET} | options).items():
        (folder / "conf" / "attention" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def trust(folder):
    (folder / "conf" / "local").mkdir()
    (folder / "conf" / "local" / "trust.yaml").write_text("trust: [my_score]\n", "utf-8")


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def trained(commands, tiny, mine):
    output = commands("train", "attention=mine", "decoder.hidden_dim=8", *tiny[:-4], "encoder.bidirectional=false",
                      "encoder.hidden_dim=8", *tiny[-2:], cwd=mine)  # fmt: skip
    return Path(output.split("files:")[1].strip())


def test_what_it_adds_is_listed_and_trained(commands, mine, trained):
    listed = " ".join(commands("train", "--help", cwd=mine).split())  # its lines are wrapped
    assert "mine" in re.search(r" attention: ((?:\w+, )*\w+) ", listed)[1].split(", ")
    assert json.loads((trained / "metrics.json").read_text("utf-8"))["attention"] == "mine"
    assert "attention=mine: no such option" in commands("train", "attention=mine", code=2)


def test_it_says_whom_it_trusts_for_all_commands(commands, mine, trained):
    assert "trust=[my_score]" in commands("translate", f"run={trained}", cwd=mine, code=2, text=LINE)
    assert "trust=[my_score]" in commands("train", f"resume={trained}", "trainer.max_epochs=2", cwd=mine, code=2)
    trust(mine)
    assert len(commands("translate", f"run={trained}", cwd=mine, text=LINE).splitlines()) == 1
    commands("train", f"resume={trained}", "trainer.max_epochs=2", cwd=mine)
    history = [json.loads(line) for line in (trained / "history.jsonl").read_text("utf-8").splitlines()]
    assert max(point["step"] for point in history) == 4


@pytest.mark.parametrize("inside", [".", "evaluations/deeper"])
def test_a_run_folder_is_no_project(commands, trained, tmp_path, inside):
    """What came along with somebody's run is not executed, even where one stands in it."""
    run = tmp_path / "run"
    (run / ".hydra").mkdir(parents=True)
    for name in ("config.yaml", "hydra.yaml"):
        (run / ".hydra" / name).write_text((trained / ".hydra" / name).read_text("utf-8"), "utf-8")
    marker = tmp_path / "executed"
    place = run / inside
    place.mkdir(parents=True, exist_ok=True)
    fill(place, f"from pathlib import Path\nPath({str(marker)!r}).touch()\n{SCORE}")
    trust(place)
    told = commands("translate", f"run={run}", cwd=place, code=2, text=LINE)
    assert "trust=[my_score]" in told
    assert "attention=mine: no such option" in commands("train", "attention=mine", cwd=place, code=2)
    assert not marker.exists()


def test_another_folder_replaces_it(commands, mine, tmp_path):
    other = fill(tmp_path, module="", theirs="defaults: [cosine, _self_]\n") / "conf"
    shown = commands("train", "attention=theirs", "--cfg", "job", "--config-dir", other, cwd=mine)
    assert "scores.cosine.Cosine" in shown


@pytest.mark.parametrize(("file", "text", "told"), [
    # What Hydra finds first is ours: theirs would be left aside without a word.
    ("train.yaml", "defaults: []\n", "conf/train.yaml would not be read, for attnlab has train.yaml of its own"),
    ("encoder/lstm.yaml", "{}", "conf/encoder/lstm.yaml would not be read, for attnlab has encoder/lstm.yaml of its"),
    ("hydra/help/default.yaml", "{}", "conf/hydra/help/default.yaml would not be read"),
    ("attention/mine.yaml", "score: [\n", "attention/mine.yaml, line 2: "),
    ("attention/mine.yaml", "nothing\n", "attention/mine.yaml: no configuration"),
])  # fmt: skip
def test_a_broken_conf_is_one_line(commands, tmp_path, file, text, told):
    fill(tmp_path)
    (tmp_path / "conf" / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "conf" / file).write_text(text, "utf-8")
    (line,) = commands("train", "attention=mine", cwd=tmp_path, code=2).splitlines()
    assert told in line


def test_which_conf_is_taken(tmp_path, monkeypatch, project_root):
    monkeypatch.chdir(project_root)
    assert read_flags([]).config_dir is None, "the laboratory's own is searched anyway"
    monkeypatch.chdir(tmp_path)
    assert read_flags([]).config_dir is None
    (tmp_path / "conf").mkdir()
    own = read_flags([])
    assert own.config_dir == own.unsaid == str(tmp_path / "conf")
    said = read_flags(["--config-dir", "x"])
    assert (said.config_dir, said.unsaid) == ("x", None)
    # Of a run that goes on: the folder that it was started with, unless another one was named.
    assert another("/elsewhere", own)
    assert not another(str(tmp_path / "conf"), own)
    assert not another("/elsewhere", said)
    assert not another(None, own)


def test_results_of_a_wheel_go_to_the_current_folder(tmp_path, monkeypatch, project_root):
    assert project.home() == project_root
    monkeypatch.setattr(project, "CHECKOUT", None)
    monkeypatch.chdir(tmp_path)
    assert project.home() == tmp_path
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="change to another one"):
        project.home()


def test_modules_of_the_current_folder_come_last(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit\n", "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("ATTNLAB_ROOT", "x")
    monkeypatch.chdir(tmp_path)
    project.set_up()
    assert sys.path[-1] == str(tmp_path)
    assert os.environ["ATTNLAB_ROOT"] == "x"


def test_further_processes_are_started_by_the_same_command(monkeypatch):
    """Lightning starts them by the module of ``__main__``, with the arguments of this process."""
    started = []
    monkeypatch.setattr(main, "run", lambda name: started.append([name, *subprocess_script._basic_subprocess_cmd()]))
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/attnlab", "train", "attention=none"])
    main.main()
    again = [sys.executable, "-m", "attnlab.cli.scripts.train", "attention=none"]
    assert started == [["train", *again]]
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    with typed(["train", "attention=none"]):  # from Python
        assert subprocess_script._basic_subprocess_cmd() == again
    assert sys.modules["__main__"].__spec__ is None
