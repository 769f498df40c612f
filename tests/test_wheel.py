"""The wheel: everything is inside, and it works in an empty folder, where no checkout is."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

OF_A_BUILD = ("src", "conf", "pyproject.toml", "setup.py", "README.md", "LICENSE")
TINY = ("trainer.max_epochs=1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1", "logger=none",
        "trainer.limit_test_batches=1", "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20",
        "encoder.hidden_dim=8", "model.embedding_dim=8", "callbacks.attention_maps=null",
        "callbacks.run_files.figures=0")  # fmt: skip


def python(*arguments, cwd, **settings):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], check=False, cwd=cwd, capture_output=True, text=True, **settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(project_root, tmp_path_factory):
    """Built from a copy: a build leaves files beside what it builds, and takes up those of an earlier one."""
    copy = tmp_path_factory.mktemp("copy")
    for name in OF_A_BUILD:
        origin = project_root / name
        if origin.is_dir():
            shutil.copytree(origin, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "local"))
        else:
            shutil.copy(origin, copy)
    local = copy / "conf" / "local" / "trust.yaml"
    local.parent.mkdir()
    local.write_text("trust: [of_whoever_builds_it]\n", "utf-8")
    without_network = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    python("-m", "pip", "wheel", *without_network, "-w", copy / "wheel", copy, cwd=copy)
    (found,) = (copy / "wheel").glob("*.whl")
    return found


def files(folder, of="*"):
    return {str(path.relative_to(folder)) for path in folder.rglob(of) if path.is_file()}


def test_everything_is_inside(wheel, project_root):
    package = {name for name in files(project_root / "src" / "attnlab") if "__pycache__" not in name}
    conf = {f"conf/{name}" for name in files(project_root / "conf", "*.yaml") if not name.startswith("local/")}
    assert len(conf) > 150
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("attnlab-")}
    assert inside == {f"attnlab/{name}" for name in package | conf}


@pytest.mark.long
def test_it_works_in_an_empty_folder(wheel, tmp_path, project_root):
    """A training in two processes, which restart its command line, by a module of the folder; then a translation."""
    site, folder = tmp_path / "site", tmp_path / "empty"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    folder.mkdir()
    (folder / "words.py").write_text("from attnlab.attention.scores.luong_dot import LuongDot as Mine\n", "utf-8")
    shown = {name: value for name, value in os.environ.items() if not name.startswith("ATTNLAB_")}
    shown |= {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    where = "import attnlab.cli.project as project; print(project.PACKAGE, project.CHECKOUT)"
    assert python("-c", where, cwd=folder, env=shown).split() == [str(site / "attnlab"), "None"]

    own = ("attention.score._target_=words.Mine", "encoder.bidirectional=false", "decoder.hidden_dim=8")
    python("-m", "attnlab", "train", "trainer=ddp_cpu", *TINY, *own, cwd=folder, env=shown)
    (run,) = folder.glob("outputs/grammar/luong_general/*/")
    assert (run / "finished.json").is_file()
    assert {path.name for path in folder.iterdir()} == {"outputs", ".cache", "words.py"}
    words = ("translate", f"run={run}", "trust=[words]")
    told = python("-m", "attnlab", *words, cwd=folder, env=shown, input="the dog sleeps .\n")
    assert len(told.splitlines()) == 1
