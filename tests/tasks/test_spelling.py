"""Unknown words in plain text: Luong et al. 2015 (addressing the rare word problem), the most attended word copied."""

from functools import partial

import pytest
import torch

from attnlab.data.tokenizers.base import Copy
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.char import Char
from attnlab.data.tokenizers.unigram import Unigram
from attnlab.data.tokenizers.word import Word
from attnlab.tasks.spelling import spell
from attnlab.types import UNK, Hypothesis


def tokenizers():
    source, target = Word("en"), Word("de")
    source.fit(["I saw him."])
    target.fit(["Ich sah ihn.", "in, sah"])
    return source, target


def test_the_most_attended_source_word_is_copied_and_joined_as_the_text_says():
    source, target = tokenizers()
    known = target.encode("Ich sah ihn.")
    tokens = [known[0], known[1], UNK, known[3]]
    weights = torch.eye(4)[[0, 1, 2, 3]]
    hypothesis = Hypothesis(tokens, -1.0, -1.0, weights)
    line = "I saw Zaphod."
    assert spell(line, hypothesis, source, target, replace=True) == (
        "Ich sah Zaphod.",
        ["Ich", "sah", "Zaphod", "."],
        ["I", "saw", "Zaphod", "."],
    )
    assert spell(line, hypothesis, source, target, replace=False).text == "Ich sah <unk>."


def spelled(line, source, target, tokens, places):
    weights = torch.zeros(len(tokens) + 1, len(source.tokenize(line)))
    for row, place in enumerate(places):
        weights[row, place] = 1
    return spell(line, Hypothesis(tokens, 0.0, 0.0, weights), source, target, replace=True).text


def test_two_gaps_are_filled_in_order():
    source, target = tokenizers()
    assert spelled("Ada saw Bob", source, target, [UNK, *target.encode("sah"), UNK], [0, 1, 2]) == "Ada sah Bob"


@pytest.mark.parametrize("kind", [Word, Char, partial(Bpe, vocab_size=80), partial(Unigram, vocab_size=80)])
def test_what_only_looks_like_the_unknown_symbol_is_text(kind):
    """The letters "<unk>" of a text are no gap, and a copy of them is not filled by the next one."""
    lines = ["a <unk> b <s> </s> <pad> ."] * 20
    source, target = kind("en"), kind("de")
    source.fit(lines)
    target.fit(lines)
    known = target.encode("a <unk> b ")
    assert UNK not in known
    assert target.decode(known).rstrip() == "a <unk> b"
    last = len(source.tokenize("a <unk> b")) - 1
    assert spelled("a <unk> b", source, target, [*known, UNK], [last] * (len(known) + 1)) == "a <unk> b b"


@pytest.mark.parametrize("kind", [Bpe, Unigram])
def test_a_word_is_copied_from_its_pieces_without_marks_of_blanks(kind):
    line = "we fly to Wroclaw, today"
    source, target = kind("en", vocab_size=60), kind("de", vocab_size=60)
    source.fit(["we fly to day , Wro cla w"] * 9)
    target.fit(["wir fliegen nach heute ,"] * 9)
    pieces = source.tokenize(line)
    parts = [place for place, piece in enumerate(pieces) if 10 <= piece.start < 17 and piece.end > piece.start]
    assert len(parts) > 1
    before, after = target.encode("wir fliegen nach "), target.encode("heute")
    for place in parts:
        ids = [*before, UNK, *after]
        assert spelled(line, source, target, ids, [place] * len(ids)) == "wir fliegen nach Wroclaw heute"
    ids = [*before, UNK, UNK, *after]  # two unknown pieces of one word
    places = [0] * len(before) + parts[:2] + [0] * len(after)
    assert spelled(line, source, target, ids, places) == "wir fliegen nach Wroclaw heute"
    ids = [*target.encode("wir fl"), UNK]  # within a word: the piece
    assert spelled(line, source, target, ids, [parts[-1]] * len(ids)) == "wir fl" + line[pieces[parts[-1]].start : 17]


def test_where_there_are_fewer_copies_than_gaps_the_symbol_stays():
    for kind in (Word, Char, partial(Bpe, vocab_size=60)):
        target = kind("de")
        target.fit(["a b"] * 9)
        found = target.decode([UNK, *target.encode("b"), UNK], [Copy("Ada", "Ada")])
        assert found.replace(" ", "") == "Adab<unk>"
