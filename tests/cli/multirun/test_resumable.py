import sys
from contextlib import nullcontext
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock
from omegaconf import OmegaConf

from attnlab.cli.config.parsing import parse
from attnlab.cli.errors import MistakesError
from attnlab.cli.multirun import resumable


def test_who_waits_for_another_process_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(resumable, "PATIENCE", 0.05)
    monkeypatch.setattr(resumable, "first_process", lambda: True)
    done = []

    def work():
        with resumable.alone(tmp_path):
            done.append(True)

    with FileLock(tmp_path / ".lock"):
        waiting = Thread(target=work)
        waiting.start()
        waiting.join(0.5)
        assert not done
        assert f"another process is at this job, so this one waits for it: {tmp_path}" in capsys.readouterr().out
    waiting.join(10)
    assert done


def test_who_need_not_wait_says_nothing(tmp_path, capsys):
    with resumable.alone(tmp_path):
        pass
    with resumable.alone(tmp_path):
        assert not capsys.readouterr().out


NAMES = [
    "it's",
    "a b",
    "100%",
    "x=y,z",
    "[a] {b}",
    "\u00fc\u4f60",
    "back\\slash",
    "'",
    "a'b'c\\",
    "$HOME",
    "#1 ~",
    'say "so"',
]


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_of_a_job_names_its_folder(name, tmp_path, monkeypatch):
    """What Lightning starts further processes with is read as the same folder and checkpoint."""
    folder = tmp_path / name
    hydra = OmegaConf.create({"overrides": {"hydra": [], "task": ["seed=2", "ckpt_path=before"]}})
    monkeypatch.setattr(resumable.HydraConfig, "get", lambda: hydra)
    monkeypatch.setattr(sys, "argv", ["train.py", "-m", "seed=1,2"])
    with resumable.as_single_run(OmegaConf.create({"ckpt_path": str(folder / "last.ckpt")}), folder):
        overrides, wrong = parse(sys.argv[1:])
    assert not wrong
    read = {item.key_or_group: item.value() for item in overrides}
    assert read == {
        "seed": 2,
        "ckpt_path": str(folder / "last.ckpt"),
        "hydra.mode": "RUN",
        "hydra.run.dir": str(folder),
    }


@pytest.mark.parametrize(("devices", "name", "refused"), [(2, 'a"b', True), (1, 'a"b', False), ([0, 1], "a\nb", True),
                                                          (2, "it's 100% [x]", False)])  # fmt: skip
def test_a_folder_that_lightning_cannot_name_is_refused_for_several_processes(devices, name, refused):
    config = OmegaConf.create({"trainer": {"devices": devices}})
    expected = pytest.raises(MistakesError, match="several processes has no") if refused else nullcontext()
    with expected:
        resumable.check_name(config, Path("/tmp", name))
