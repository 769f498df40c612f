"""Quantities of a project: found by their file, made when they are asked for, and only where the user says so."""

import os
import re

import pytest

from attnlab.cli import folders
from attnlab.cli.quantities import NAMED, declare, made, of_the_user
from attnlab.errors import ConfigError
from attnlab.metrics import registry

MODULE = """
from attnlab.metrics.quantity import Summed

class Words(Summed):
    def count(self, record):
        return [float(len(record["hypothesis"].split())), 1.0]

    def close(self, sums):
        return sums[..., 0] / sums[..., 1]
"""
FILE = "_target_: words_of_outputs.Words\nname: words\ntitle: words\nbetter: lower\ndigits: 1\n"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A project with the quantity ``words``."""
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words_of_outputs.py").write_text(MODULE, "utf-8")
    (tmp_path / "conf" / "quantity").mkdir(parents=True)
    (tmp_path / "conf" / "quantity" / "words.yaml").write_text(FILE, "utf-8")
    folders.register()
    yield tmp_path
    declare(None)


def test_it_is_known_by_its_name_and_forgotten_elsewhere(mine, tmp_path_factory, monkeypatch):
    (found,) = registry.counted(["words"])
    assert (found.title, found.better, found.digits) == ("words", "lower", 1)
    assert registry.of_key("test_long/words") is found
    assert registry.mode_of("val/words", None, "callbacks.checkpoints") == "min"
    assert registry.package_of(found) == "words_of_outputs"
    assert found.score(found.rows([{"hypothesis": "a b"}, {"hypothesis": "c"}])) == 1.5
    monkeypatch.chdir(tmp_path_factory.mktemp("another"))
    folders.register()
    assert registry.find("words") is None


@pytest.mark.parametrize(("text", "told"), [
    (FILE.replace("name: words", "name: other"), r"words\.yaml is the quantity other; call the file so"),
    (FILE.replace("Words", "Word"), r"words\.yaml: words\._target_: there is no words_of_outputs\.Word; did you mean "),
    (FILE.replace("words_of_outputs.Words", "os.system"), r"words\.yaml: words\._target_: os\.system takes none of"),
    (FILE.replace("words_of_outputs.Words", "builtins.dict"), r"words\.yaml: builtins\.dict is no attnlab\.metrics"),
    (FILE.replace("better: lower", "better: small"), r"words\.yaml: words\.better: came 'small', expected"),
    (FILE.replace("digits: 1", "digits: -1"), r"words\.yaml: quantity words: digits is -1"),
    (FILE + "digit: 2\n", r"words\.yaml: words\.digit: Words has no such setting; did you mean digits\?"),
    ("name: words\n", r"words\.yaml: expected _target_"), ("[\n", r"words\.yaml"),
    (FILE.replace("better: lower\n", ""), r"words\.yaml: words\.better: missing"),
])  # fmt: skip
def test_a_file_that_is_none_is_one_line(mine, text, told):
    (mine / "conf" / "quantity" / "words.yaml").write_text(text, "utf-8")
    folders.register()
    with pytest.raises(ValueError, match=told) as caught:
        registry.counted(["words"])
    assert len(str(caught.value).splitlines()) == 1


def test_a_module_that_fails_is_told_with_its_line(mine):
    (mine / "failing_words.py").write_text("import nowhere_at_all\n", "utf-8")
    file = mine / "conf" / "quantity" / "words.yaml"
    file.write_text(FILE.replace("words_of_outputs", "failing_words"), "utf-8")
    with pytest.raises(ConfigError, match=r"failing_words\.py, line 1: ModuleNotFoundError"):
        made(file)


def test_one_of_ours_keeps_its_name(mine):
    (mine / "conf" / "quantity" / "bleu.yaml").write_text(FILE.replace("name: words", "name: bleu"), "utf-8")
    folders.register()
    told = f"two quantities are called bleu: that of attnlab and that of {mine / 'conf' / 'quantity' / 'bleu.yaml'}"
    with pytest.raises(ConfigError, match=re.escape(told)):
        registry.find("bleu")


def test_it_is_measured_and_not_chosen(commands, mine):
    assert "write measure=[words]" in commands("train", "quantity=words", cwd=mine, code=2)


def test_a_further_process_is_told_which_folder_is_the_users(tmp_path, monkeypatch):
    """Its command line may name the folder of a recorded run."""
    monkeypatch.setenv(NAMED, "")
    assert of_the_user(str(tmp_path)) == tmp_path
    assert os.environ[NAMED] == str(tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert of_the_user("/of/a/recorded/run") == tmp_path
    monkeypatch.setenv(NAMED, "")
    assert of_the_user("/of/a/recorded/run") is None
