"""``resume=`` and ``ckpt_path=`` with a run, or a multirun, from somebody else: its command line builds, writes and
tells nothing that is up to the running command.
"""

# A row stays on its line.
# ruff: noqa: E501

import json
import os
import shutil
import sys

import pytest
import yaml

from attnlab.cli import app, folders, resume
from attnlab.cli.app import Command
from attnlab.cli.commands.train import Options, train
from attnlab.cli.errors import MistakesError
from attnlab.cli.resume_trust import kept, of_a_multirun, roots

CANARY = "canary-4711"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    monkeypatch.setenv("CANARY", CANARY)
    folders.register()
    return tmp_path


@pytest.fixture
def hostile(root, run):
    """A copy of a run with more on its recorded command line, and a folder of configurations beside it."""

    def make(overrides=(), files=None):
        folder = root / "run"
        shutil.copytree(run, folder)
        (folder / "finished.json").unlink()
        file = folder / ".hydra" / "hydra.yaml"
        recorded = yaml.safe_load(file.read_text("utf-8"))
        recorded["hydra"]["overrides"]["task"] += [text.replace("OUT", str(root / "outside")) for text in overrides]
        for name, text in (files or {}).items():
            (folder / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "mine" / name).write_text(text.replace("OUT", str(root / "outside")), "utf-8")
            source = {"path": str(folder / "mine"), "provider": "command-line", "schema": "file"}
            recorded["hydra"]["runtime"]["config_sources"].append(source)
        file.write_text(yaml.dump(recorded), "utf-8")
        return folder

    return make


def gone_on(monkeypatch, *line):
    """The command line that such a one stands for."""
    monkeypatch.setattr("sys.argv", ["train.py", *line])
    arguments = app.read_flags(list(line))
    resume.go_on(Command(train, Options, ""), arguments)
    return arguments.overrides


OF_THE_COMMAND = [
    "+hydra.callbacks.x={_target_: os.system, command: touch}", "+hydra={callbacks: {x: {_target_: os.system}}}",
    "hydra.job_logging.handlers.file.filename=OUT", "hydra.output_subdir=OUT", "++hydra.job.chdir=true",
    "+hydra.job.env_set.PYTHONPATH=OUT", "++hydra.job.env_copy=[CANARY]", "hydra.searchpath=[file://OUT]",
    "hydra.run.dir=OUT", "hydra/job_logging=default", "+callbacks@hydra.callbacks=default", "paths.cache=OUT",
    "paths.run=OUT", "++paths.root=OUT", "paths.data=OUT", "trust=[os]", "hydra.mode=MULTIRUN",
]  # fmt: skip


@pytest.mark.parametrize("key", ["resume", "ckpt_path"])
def test_what_is_up_to_the_command_is_not_taken_over(hostile, root, monkeypatch, capsys, key):
    (root / "outside").mkdir()
    folder = hostile(OF_THE_COMMAND)
    found = gone_on(monkeypatch, f"{key}={folder}", "trainer.max_epochs=3")
    assert "trainer.max_epochs=3" in found
    assert not [text for text in found if str(root / "outside") in text or "os" in text.partition("=")[2].split()]
    own = {"hydra.mode=RUN", f"hydra.run.dir={folder}", f"hydra.run.dir='{folder}'"}
    assert {text for text in found if "hydra" in roots(text)} <= own
    assert "paths.data" in capsys.readouterr().err  # whoever has moved nothing is told how to have it again


FILES = {
    "experiment/default.yaml": "# @package _global_\nhydra:\n  callbacks:\n    x:\n      _target_: os.mkdir\n      path: OUT\n",
    "hydra/job_logging/attnlab.yaml": "version: 1\nhandlers:\n  file:\n    class: logging.FileHandler\n    filename: OUT\n",
    "paths/default.yaml": "root: OUT\ndata: OUT\ncache: OUT\nrun: OUT\n",
    "callbacks/default.yaml": "x:\n  _target_: os.mkdir\n  path: OUT\n",
    "optimizer/adam.yaml": "_target_: torch.optim.Adam\n_partial_: true\nlr: 0.1\nextra: ${oc.env:CANARY}\n",
}


@pytest.mark.parametrize("name", FILES)
def test_nor_from_a_folder_of_configurations(hostile, root, monkeypatch, capsys, name):
    folder = hostile(["experiment=default"] if name.startswith("experiment") else [], {name: FILES[name]})
    with pytest.raises(MistakesError) as caught:
        gone_on(monkeypatch, f"resume={folder}")
    assert len(caught.value.messages) == 1
    assert CANARY not in str(caught.value) + "".join(capsys.readouterr())
    assert not (root / "outside").exists()


def test_an_honest_folder_of_configurations_is_used(hostile, monkeypatch):
    folder = hostile(["experiment=mine"], {"experiment/mine.yaml": "# @package _global_\noptimizer:\n  lr: 0.003\n"})
    assert "experiment=mine" in gone_on(monkeypatch, f"resume={folder}")


REFUSED = [
    "+callbacks.x={_target_: pytorch_lightning.callbacks.ModelCheckpoint, _args_: [OUT]}",
    "+callbacks.x={_target_: os.mkdir, path: OUT}", "+callbacks.x={_target_: attnlab.callbacks.history_file.HistoryFile, _args_: [OUT]}",
    "++data.note=${oc.env:CANARY}", "callbacks.checkpoints.filename=../../x", "callbacks.checkpoints.filename=${optimizer.note}",
]  # fmt: skip


@pytest.mark.parametrize("override", REFUSED)
def test_what_it_would_build_or_write_is_refused(hostile, root, monkeypatch, capsys, override):
    folder = hostile(["++optimizer.note=OUT", override])
    with pytest.raises(MistakesError) as caught:
        gone_on(monkeypatch, f"resume={folder}")
    assert len(caught.value.messages) == 1
    assert CANARY not in str(caught.value) + "".join(capsys.readouterr())


@pytest.mark.parametrize("override", [
    "+hydra.callbacks.x={_target_: os.system}", "+hydra={callbacks: {}}", "hydra.sweep.dir=/x", "paths.cache=/x",
    "hydra.launcher.setup=[touch x]", "hydra.launcher.submitit_folder=/x", "hydra.launcher.temp_folder=x",
    "hydra.launcher.partition='a b'", "hydra.sweeper.storage=sqlite:////x", "hydra.sweeper.sampler={_target_: os.getcwd}",
    "hydra.launcher._target_=os.system", "+hydra@hydra.launcher=x",
])  # fmt: skip
def test_of_hydra_a_multirun_brings_numbers_and_names(override):
    assert not of_a_multirun(override)


@pytest.mark.parametrize("override", ["hydra/launcher=slurm", "hydra.launcher.timeout_min=30", "hydra.sweeper.n_trials=4",
                                      "hydra.sweeper.params.seed='1,2'", "seed=1,2", "attention=none"])  # fmt: skip
def test_and_those(override):
    assert of_a_multirun(override)


@pytest.mark.parametrize("overrides", [
    ["data.cache=/a,/b"], ["hydra.sweeper.params={data.cache: '/a,/b'}"], ["hydra.sweeper.params={paths.cache: '/a,/b'}"],
    ["hydra.sweeper.params={hydra.output_subdir: '/a,/b'}"], ["optimizer.lr=${oc.env:CANARY},1"], ["data.cache=/a", "seed=1,2"],
    ["optimizer={_target_: os.system},{_target_: os.mkdir}"], ["seed=${nothing:1}"], ["nothing=1"],
])  # fmt: skip
def test_a_multirun_that_would_write_elsewhere_is_refused(root, monkeypatch, capsys, overrides):
    folder = root / "sweeps" / "multirun" / "x"
    folder.mkdir(parents=True)
    (folder / "command.json").write_text(json.dumps({"overrides": overrides}), "utf-8")
    with pytest.raises(MistakesError) as caught:
        gone_on(monkeypatch, "-m", f"resume={folder}")
    assert not any("\n" in text for text in caught.value.messages)
    assert CANARY not in str(caught.value) + "".join(capsys.readouterr())


OF_A_MULTIRUN = {
    "hydra/launcher/basic.yaml": "_target_: os.mkdir\npath: OUT\n",
    "hydra/launcher/mine.yaml": "_target_: os.mkdir\npath: OUT\n",
    "hydra/sweeper/basic.yaml": "_target_: os.mkdir\npath: OUT\n",
    "experiment/sweeps.yaml": "# @package _global_\nhydra:\n  sweep:\n    dir: OUT\n",
    "experiment/swept.yaml": "# @package _global_\nhydra:\n  sweeper:\n    params:\n      paths.cache: OUT,/x\n",
    "experiment/launched.yaml": "# @package _global_\ndefaults:\n  - override /hydra/launcher: side_by_side\nhydra:\n  launcher:\n    temp_folder: OUT\n",
}


@pytest.mark.filterwarnings("ignore:[^a-z]*hydra/.*/basic.*is validated against ConfigStore schema:UserWarning")
@pytest.mark.parametrize("name", [*FILES, *OF_A_MULTIRUN])
def test_nor_from_a_folder_of_configurations_of_a_multirun(root, monkeypatch, capsys, name):
    folder, mine = root / "sweeps" / "multirun" / "x", root / "mine"
    (mine / name).parent.mkdir(parents=True)
    (mine / name).write_text((FILES | OF_A_MULTIRUN)[name].replace("OUT", str(root / "outside")), "utf-8")
    choice = {"experiment": ["experiment=" + name.partition("/")[2][:-5]], "hydra": ["hydra/launcher=mine"]}
    overrides = ["seed=1,2", *(choice.get(name.partition("/")[0], []) if "mine" in name or "exp" in name else [])]
    folder.mkdir(parents=True)
    (folder / "command.json").write_text(json.dumps({"overrides": overrides, "config_dir": str(mine)}), "utf-8")
    with pytest.raises(MistakesError) as caught:
        gone_on(monkeypatch, "-m", f"resume={folder}")
    assert len(caught.value.messages) == 1
    assert CANARY not in str(caught.value) + "".join(capsys.readouterr())
    assert not (root / "outside").exists()


@pytest.mark.parametrize("there", [True, False])
def test_an_honest_folder_of_configurations_of_a_multirun_is_used(root, monkeypatch, there):
    folder, mine = root / "sweeps" / "multirun" / "x", root / "mine"
    if there:
        (mine / "sweep").mkdir(parents=True)
        text = (
            "# @package _global_\ndefaults:\n  - override /hydra/launcher: side_by_side\nsweep_name: own\noptimizer:\n"
            "  lr: 0.003\nhydra:\n  launcher:\n    n_jobs: 2\n  sweeper:\n    params:\n      seed: 1,2\n"
        )
        (mine / "sweep" / "mine.yaml").write_text(text, "utf-8")
    folder.mkdir(parents=True)
    command = {"overrides": ["sweep=mine", "attention=none"], "config_dir": str(mine)}
    (folder / "command.json").write_text(json.dumps(command), "utf-8")
    if not there:
        with pytest.raises(MistakesError, match="sweep=mine: no such option"):
            gone_on(monkeypatch, "-m", f"resume={folder}")
        return
    assert gone_on(monkeypatch, "-m", f"resume={folder}") == ["sweep=mine", "attention=none", f"resume='{folder}'"]
    assert sys.argv[1:3] == ["--config-dir", str(mine)]


@pytest.mark.parametrize("name", ["command.json", "multirun.yaml"])
@pytest.mark.parametrize("text", ["[" * 90, '{"overrides": 3}', "a: &a [*a]", ""])
def test_a_record_that_is_none_is_as_if_there_were_none(root, monkeypatch, name, text):
    folder = root / "sweeps" / "multirun" / "x"
    folder.mkdir(parents=True)
    (folder / name).write_text(text, "utf-8")
    assert gone_on(monkeypatch, "-m", f"resume={folder}") == [f"resume={folder}"]


@pytest.mark.parametrize("name", ["command.json", "multirun.yaml"])
def test_a_record_that_would_be_waited_for_is_refused(root, monkeypatch, name):
    folder = root / "sweeps" / "multirun" / "x"
    folder.mkdir(parents=True)
    os.mkfifo(folder / name)
    with pytest.raises(MistakesError, match="a pipe or a device"):
        gone_on(monkeypatch, "-m", f"resume={folder}")


def test_what_a_run_keeps():
    assert kept(["seed=2", "attention/window@encoder.window=all", "~logger"]) == [
        "seed=2",
        "attention/window@encoder.window=all",
        "~logger",
    ]


@pytest.mark.parametrize("kind", ["a file", "a folder", "a pipe"])
def test_what_leads_out_of_the_run_is_seen_before_anything_is_written(hostile, root, monkeypatch, kind):
    folder, outside = hostile(), root / "outside"
    (folder / "history.jsonl").unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(folder / "history.jsonl")  # opening it would wait for a reader, for ever
    elif kind == "a file":
        outside.write_text("mine", "utf-8")
        (folder / "history.jsonl").symlink_to(outside)
    else:
        shutil.rmtree(folder / "checkpoints")
        (folder / "checkpoints").symlink_to(root)
    with pytest.raises(MistakesError, match=r"a link that leads out of the run folder|a pipe or a device"):
        gone_on(monkeypatch, f"resume={folder}", "trainer.max_epochs=3")


@pytest.mark.parametrize("overrides", [["seed=range(1,1000000000000)"], ["seed=range(1,2,0)"],
                                       ["optimizer.lr=range(0,1,1e-300)"]])  # fmt: skip
def test_a_multirun_without_an_end_is_refused(root, monkeypatch, overrides):
    folder = root / "sweeps" / "multirun" / "x"
    folder.mkdir(parents=True)
    (folder / "command.json").write_text(json.dumps({"overrides": overrides}), "utf-8")
    with pytest.raises(MistakesError, match=r"more than 100,000 values|a range without an end"):
        gone_on(monkeypatch, "-m", f"resume={folder}")
