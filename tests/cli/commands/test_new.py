"""``attnlab new``: what it writes runs as it is, passes its own test, and reads like what is here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest
import yaml

from attnlab.cli import folders
from attnlab.cli.commands.new import KINDS, TEMPLATES, WRITTEN_BY_HAND, main, new
from attnlab.cli.errors import MistakesError
from attnlab.cli.trust import add

NAMES = {
    "mechanism": "scaled_general", "encoder": "neighbours", "dataset": "json_pairs", "quantity": "exact_match",
    "callback": "norms", "optimizer": "signum", "task": "judging_reviews",
}  # fmt: skip
SMALL = ("trainer=smoke", "logger=none", "model.embedding_dim=8", "decoder.hidden_dim=16", "encoder.hidden_dim=8",
         "callbacks.attention_maps=null", "callbacks.run_files.figures=0")  # fmt: skip
OURS = 'lint.isort.known-first-party=["attnlab"]'
CHOSEN = {"mechanism": "attention=scaled_general", "encoder": "encoder=neighbours", "dataset": "dataset=json_pairs",
          "quantity": "measure=[exact_match]", "callback": "callbacks=norms", "optimizer": "optimizer=signum",
          "task": "dataset=judging_reviews"}  # fmt: skip


def stand_in(folder, patch):
    """Let a folder be the current one, as a command begins."""
    patch.chdir(folder)
    patch.setattr(sys, "path", [*sys.path])
    patch.setenv("ATTNLAB_ROOT", str(folder))
    folders.register()


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A folder with a part of each kind, and what was said of each."""
    folder = tmp_path_factory.mktemp("mine")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(folder, patch)
        return folder, {kind: "\n".join(new(kind, name)) for kind, name in NAMES.items()}


@pytest.fixture
def empty(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch)
    return tmp_path


def test_every_kind_is_tried_here():
    assert set(NAMES) == set(CHOSEN) == set(KINDS) == {path.name for path in TEMPLATES.iterdir()}


def test_it_says_what_it_wrote_and_what_to_type(mine):
    folder, said = mine
    for kind, name in NAMES.items():
        files, _, following = said[kind].partition("\nnext:\n")
        named = [line.removeprefix("wrote ") for line in files.splitlines() if line.startswith("wrote ")]
        assert all((folder / path).is_file() for path in named)
        assert f"tests/test_{name}.py" in named
        train, test = following.splitlines()
        assert train == f"  attnlab train {CHOSEN[kind]} trainer=smoke"
        assert test.startswith(f"  python -m pytest tests/test_{name}.py")
    trusted = [name for kind, name in NAMES.items() if kind != "quantity"]  # a run names it, and builds nothing of it
    assert yaml.safe_load((folder / "conf" / "local" / "trust.yaml").read_text("utf-8")) == {"trust": trusted}


def test_no_word_of_the_template_is_left(mine):
    folder, _ = mine
    for path in (path for path in folder.rglob("*") if path.suffix in (".py", ".yaml", ".jsonl")):
        told = str(path.relative_to(folder)) + path.read_text("utf-8")
        assert not re.search(rf"[Mm]y[_ ]?({'|'.join(KINDS)})", told, re.IGNORECASE), path


def test_the_readme_shows_what_it_writes(mine, project_root):
    folder, _ = mine
    section = (project_root / "README.md").read_text("utf-8").split("## Add an attention mechanism")[1]
    for language, file in (("python", "scaled_general.py"), ("yaml", "conf/attention/scaled_general.yaml")):
        shown = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL).group(1)
        assert (folder / file).read_text("utf-8") == shown


@pytest.mark.long
def test_it_passes_its_own_tests_and_is_clean(mine, project_root):
    """The tests of the project by pytest, and its code by ruff as ours is."""
    folder, _ = mine
    for command in (
        ["pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        ["ruff", "check", "--no-cache", "--config", project_root / "pyproject.toml", "--config", OURS, "."],
        ["ruff", "format", "--check", "--no-cache", "--config", project_root / "pyproject.toml", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], check=False, cwd=folder, capture_output=True, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "ATTNLAB_ROOT": str(folder)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_all_of_it_trains_and_other_commands_take_the_run(commands, mine, tmp_path):
    """A task's own test trains it."""
    folder, _ = mine
    parts = ("mechanism", "encoder", "dataset")
    chosen = (CHOSEN[kind] for kind in (*parts, "quantity", "callback", "optimizer"))
    output = commands("train", *chosen, *SMALL, cwd=folder)
    run = Path(output.split("files:")[1].strip())
    assert (run / "norms.png").is_file()
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert [metrics[group] for group in ("attention", "encoder", "dataset")] == [NAMES[kind] for kind in parts]
    assert metrics["test/exact_match"] == 0
    assert "norms" in metrics["watching"].split(","), "with or without it the same model is trained"
    assert len(commands("translate", f"run={run}", cwd=folder, text="a b\nc\n").splitlines()) == 2
    commands("compare", f"runs=[{run}]", "metric=exact_match", f"output={tmp_path}", "report=false", cwd=folder)
    assert "exact_match" in (tmp_path / "scores.csv").read_text("utf-8").splitlines()[0].split(",")
    elsewhere = commands("evaluate", f"run={run}", cwd=tmp_path, code=2)
    assert all(f"trust=[{NAMES[kind]}]" in elsewhere for kind in parts), "trust is of its own folder only"
    assert "signum" not in elsewhere, "a test has no use for an optimizer"


@pytest.mark.parametrize(("kind", "name", "told"), [
    ("mechanism", "ScaledFoo", "expected a name in snake case (letters, digits, underscores): scaled_foo"),
    ("mechanism", "../x", "expected a name in snake case"),
    ("mechanism", "class", "expected a name in snake case"),
    ("mechanism", "cosine", "attnlab has attention=cosine already"),
    ("encoder", "random", "Python finds another module called random"),
    ("encoder", "torch", "Python finds another module called torch"),
    ("encoder", "tests", "Python finds another module called tests"),
    ("encoder", "taken", "taken.py is there already, and nothing was written"),
    ("encoder", "folder", "Python finds another module called folder"),
    ("quantity", "bleu", "there is a quantity bleu already"),
    ("dataset", "grammar", "attnlab has dataset=grammar already"),
    ("task", "translation", "attnlab has data=translation already"),
])  # fmt: skip
def test_a_name_that_cannot_be_is_one_line_and_nothing_is_written(kind, name, told, empty):
    (empty / "taken.py").touch()
    (empty / "folder").mkdir()
    with pytest.raises(MistakesError) as caught:
        new(kind, name)
    assert told in str(caught.value)
    assert sorted(path.name for path in empty.iterdir()) == ["folder", "taken.py"]


@pytest.mark.parametrize(("words", "told"), [
    (("mechansim", "x"), "did you mean mechanism?"),
    (("attention", "x"), "write attnlab new mechanism …"),
    (("normalizer", "x"), "my.py with an attnlab.attention.base.Normalizer, conf/attention/normalizer/my.yaml"),
    (("mechanism",), "expected one name"),
    (("mechanism", "a", "b"), "expected one name"),
])  # fmt: skip
def test_what_is_typed_wrongly_is_one_line(words, told, empty, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["attnlab", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_what_has_no_template_has_a_contract_and_options(project_root):
    for contract, group in WRITTEN_BY_HAND.values():
        assert resolve_name(contract).__doc__
        assert any((project_root / "conf" / group).glob("*.yaml"))


def test_the_command(commands, empty, project_root):
    assert "attnlab new mechanism my_mechanism" in commands("new", "--help")
    assert "wrote mine.py\n" in commands("new", "encoder", "mine", cwd=empty)


def test_it_writes_into_folders_of_the_users_only(empty, monkeypatch, project_root):
    (empty / ".hydra").mkdir()
    (empty / ".hydra" / "config.yaml").touch()
    with pytest.raises(MistakesError, match="the folder of a run"):
        new("mechanism", "x")
    monkeypatch.chdir(project_root)
    with pytest.raises(MistakesError, match="mkdir my_project && cd my_project && attnlab new mechanism x"):
        new("mechanism", "x")


@pytest.mark.parametrize(("before", "after"), [
    (None, "# Packages of yours that a run folder may name.\ntrust: [b]\n"),
    ("trust: []\n", "trust: [b]\n"),
    ("# mine\ntrust: [a]  # and why\n", "# mine\ntrust: [a, b]  # and why\n"),
    ("trust:\n  - a  # why\n  # more\n", "trust:\n  - a  # why\n  # more\n  - b\n"),
    ("trust: [\n  a,\n]\n", "trust: [\n  a, b]\n"),
])  # fmt: skip
def test_trust_is_added_and_the_rest_stays(tmp_path, before, after):
    file = tmp_path / "trust.yaml"
    if before is not None:
        file.write_text(before, "utf-8")
    add(file, "b")
    assert file.read_text("utf-8") == after


def test_trust_that_is_written_otherwise_is_left_to_its_author(tmp_path):
    file = tmp_path / "trust.yaml"
    file.write_text("{trust: [a]}\n# [x]\n", "utf-8")
    with pytest.raises(MistakesError, match="add b to its list yourself"):
        add(file, "b")
    assert file.read_text("utf-8") == "{trust: [a]}\n# [x]\n"
