"""What is not called any more what it was: it is there by its new name, and an old one is told."""

import re
from importlib import import_module

import pytest

from attnlab.attention.base import Score, Window
from attnlab.attention.none import NoAttention
from attnlab.cli.config.check import check_node
from attnlab.cli.errors import report
from attnlab.decoders.base import Decoder, RecurrentDecoder
from attnlab.errors import ConfigError
from attnlab.imports import thing
from attnlab.moved import MODULES, NAMES, current, currently


@pytest.mark.parametrize("module", sorted(MODULES.values()))
def test_a_module_that_has_moved_is_there(module):
    assert import_module(module).__name__ == module


@pytest.mark.parametrize("name", sorted(NAMES.values()))
def test_what_is_in_a_module_is_there(name):
    assert thing(name).__module__ == name.rpartition(".")[0]


@pytest.mark.parametrize("name", [
    "attnlab.attention.base.Score", "attnlab.attention.mine.Mine", "attnlab.attention.scores.luong_dot.LuongDot",
    "attnlab.attention.windows.all.All", "attnlab.data.corpora.grammar.corpus.Grammar", "attnlab.data.corpora.sst.Sst",
    "attnlab.data.prepared.folder.Prepared", "my_attnlab.data.ragged", "attnlab", "",
])  # fmt: skip
def test_any_other_name_stays(name):
    assert current(name) == currently(name) == name


def test_a_recorded_command_line_gets_the_new_names():
    old = "attention.score={_target_: attnlab.attention.cosine.Cosine, x: my.attnlab.attention.cosine.Cosine}"
    assert currently(old) == (
        "attention.score={_target_: attnlab.attention.scores.cosine.Cosine, x: my.attnlab.attention.cosine.Cosine}"
    )


@pytest.mark.parametrize(("line", "hint"), [
    ("from attnlab.attention.luong_dot import LuongDot", "attnlab.attention.scores.luong_dot"),
    ("import attnlab.data.ragged", "attnlab.data.prepared.ragged"),
    ("import attnlab.cli.study", "attnlab.cli.multirun.study"),
    ("from attnlab.data.prepared import Prepared", "attnlab.data.prepared.folder.Prepared"),
])  # fmt: skip
def test_somebody_s_import_of_an_old_name_is_told(line, hint, tmp_path, monkeypatch):
    module = f"of_old_{abs(hash(line))}"
    (tmp_path / f"{module}.py").write_text(f"{line}\n\n\nclass Mine:\n    pass\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(f"(it is {hint} now)")):
        thing(f"{module}.Mine")


@pytest.mark.parametrize(("base", "old", "new"), [
    (Score, "begin", "initial_state"), (Score, "carry", "next_state"), (Window, "begin", "initial_state"),
    (Decoder, "begin", "initial_state"), (RecurrentDecoder, "lay_out", "decoding_weights"),
])  # fmt: skip
def test_a_part_of_somebody_s_that_has_a_method_by_its_old_name_is_told(base, old, new):
    with pytest.raises(ConfigError, match=rf"Mine\.{old} would never be called: it is {new} now"):
        type("Mine", (base,), {old: lambda self, memory: None})


def test_a_call_by_an_old_name_is_told(capsys):
    with pytest.raises(AttributeError) as raised:
        NoAttention(4, 4, 4).begin(None)
    assert report(raised.value) == 1
    assert "it is initial_state now" in capsys.readouterr().err


def test_a_preset_of_somebody_s_is_told():
    from omegaconf import OmegaConf

    node = OmegaConf.create({"_target_": "attnlab.attention.luong_dot.LuongDot"})
    assert list(check_node(node, "attention.score", ["attention"])) == [
        "attention.score._target_: there is no attnlab.attention.luong_dot.LuongDot; "
        "it is attnlab.attention.scores.luong_dot.LuongDot now"
    ]
