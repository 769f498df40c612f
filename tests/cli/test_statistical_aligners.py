"""Statistical aligners: what is handed to them and taken from them; the libraries where they are installed."""

import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from attnlab.cli.statistical_aligners import align, solid
from attnlab.errors import ConfigError, DataError

WORDS = {
    "one": "eins",
    "two": "zwei",
    "three": "drei",
    "four": "vier",
    "five": "fünf",
    "six": "sechs",
    "seven": "sieben",
}
PAIRS = 120


@pytest.fixture
def texts(tmp_path):
    """Numbers drawn at random, neighbours turned round, so that only the words can tell what belongs together."""
    draw, rows = Random(3), []
    for _ in range(PAIRS):
        first, second, third, last = draw.sample(list(WORDS), 4)
        rows.append(f"{first} {second} {third} {last} ||| {' '.join(WORDS[w] for w in (second, first, last, third))}")
    (tmp_path / "text").write_text("\n".join(rows[:2]) + "\n", "utf-8")
    (tmp_path / "more").write_text("\n".join(rows[2:]) + "\n", "utf-8")
    return tmp_path


class Diagonal:
    """Links nothing but the first words, in files like eflomal's."""

    def align(self, source, target, links_filename_fwd, links_filename_rev):
        assert source[0].split()[0] in WORDS
        assert len(target) == PAIRS
        for name, line in ((links_filename_fwd, "0-0 1-0"), (links_filename_rev, "0-0")):
            Path(name).write_text(f"{line}\n" * PAIRS, "utf-8")


def test_directions_are_made_one_and_only_what_was_asked_is_given(monkeypatch, texts):
    monkeypatch.setitem(sys.modules, "eflomal", SimpleNamespace(Aligner=Diagonal))
    asked = str(texts / "text"), [str(texts / "more")]
    found = align(["eflomal"], *asked, ["union", "intersection"])
    assert found == {
        "eflomal union": [frozenset({(0, 0), (1, 0)})] * 2,
        "eflomal intersection": [frozenset({(0, 0)})] * 2,
    }
    assert list(align(["eflomal"], *asked, [])) == ["eflomal grow_diag_final_and"]


@pytest.mark.parametrize("name", ["eflomal", "systran_align"])
def test_the_libraries_find_what_belongs_together(name, texts):
    pytest.importorskip(name)
    (links,) = align([name], str(texts / "text"), [str(texts / "more")], []).values()
    assert links == [frozenset({(0, 1), (1, 0), (2, 3), (3, 2)})] * 2


@pytest.mark.parametrize("name", ["eflomal", "systran_align"])
@pytest.mark.parametrize("blank", ["\u3000", "\u2009"])
def test_words_are_what_plain_blanks_part(name, blank, texts):
    pytest.importorskip(name)
    for file in (texts / "text", texts / "more"):
        plain = file.read_text("utf-8")
        file.write_text(plain.replace("three", f"th{blank}ree").replace("drei", f"d{blank}rei"), "utf-8")
    (links,) = align([name], str(texts / "text"), [str(texts / "more")], []).values()
    assert links == [frozenset({(0, 1), (1, 0), (2, 3), (3, 2)})] * 2


def test_no_word_is_handed_on_with_white_space_in_it():
    assert solid("a\u3000b  c\u2009 \u2003d e") == ["a_b", "c_", "_d", "e"]


def test_what_is_wrong_is_told(monkeypatch, texts):
    monkeypatch.setitem(sys.modules, "eflomal", None)
    with pytest.raises(ConfigError, match=r"aligners=eflomal: not installed.*pip install eflomal"):
        align(["eflomal"], str(texts / "text"), [], [])
    monkeypatch.setitem(sys.modules, "eflomal", SimpleNamespace(Aligner=Diagonal))
    (texts / "text").write_text("a ||| b\n\n", "utf-8")
    with pytest.raises(DataError, match="text:2: empty side; an aligner takes all pairs or none"):
        align(["eflomal"], str(texts / "text"), [], [])
