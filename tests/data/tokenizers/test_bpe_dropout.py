"""BPE-dropout against algorithm 1 of Provilkov et al. 2020 as it stands there, and against the library's."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from tokenizers import Tokenizer, models

from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.bpe_dropout import BpeDropout
from attnlab.types import SPECIALS, UNK

LINES = ["unrelated relations relate, and unrelatedly so", "The related ones related: 1 unit related 22 units"]
DRAWN = 2000


@pytest.fixture(scope="module")
def bpe():
    tokenizer = Bpe("en", lowercase=True, vocab_size=200, min_frequency=1)
    tokenizer.fit(LINES)
    return tokenizer


def algorithm_1(word, merges, dropout, draws):
    """Leave out each possible merge with its own draw, make the best of the rest, until there is none."""
    split = list(word)
    while True:
        possible = [(merges[pair], at) for at, pair in enumerate(pairwise(split)) if pair in merges]
        kept = [merge for merge in possible if draws.random() >= dropout]
        if not kept:
            return tuple(split)
        _, at = min(kept)
        split[at : at + 2] = ["".join(split[at : at + 2])]


def same_distribution(found, expected):
    """The p of a chi-square test of two samples; what is rare is one kind."""
    common = [kind for kind, count in (found + expected).items() if count >= 20]
    table = [[sample[kind] for kind in common] for sample in (found, expected)]
    table = [[*row, DRAWN - sum(row)] for row in table]
    return chi2_contingency(np.array(table)[:, np.array(table).sum(0) > 0]).pvalue


@pytest.mark.parametrize("dropout", [0.1, 0.5])
def test_draws_are_those_of_the_paper(bpe, dropout):
    """Three words in one line, so that a distance reaches from word to word."""
    line, pieces = "unrelatedly related units", bpe.state()["model"]
    words = bpe.words(line)
    assert words == ["▁unrelatedly", "▁related", "▁units"]
    merges, draws = {tuple(pair): rank for rank, pair in enumerate(pieces["merges"])}, np.random.default_rng(1)
    cutter = BpeDropout(bpe, dropout)
    found = Counter(tuple(bpe.tokens(cutter.encode(line, draws))) for _ in range(DRAWN))
    expected = Counter(
        tuple(piece for word in words for piece in algorithm_1(word, merges, dropout, draws)) for _ in range(DRAWN)
    )
    assert len(found) > 20
    assert same_distribution(found, expected) > 1e-3


def test_draws_are_the_librarys_where_it_draws_as_the_paper_does():
    """Of "abcd" with the merges ab and cd no merge makes another impossible, so nothing stale is in its queue."""
    tokenizer = Bpe("en", vocab_size=200)
    tokenizer.fit(["ab cd"])
    vocabulary = {piece: number for number, piece in enumerate([*SPECIALS, *"▁abcd", "ab", "cd"])}
    state = tokenizer.state()
    state["model"] |= {"vocab": vocabulary, "merges": [["a", "b"], ["c", "d"]]}
    tokenizer.restore(state)
    draws, cutter = np.random.default_rng(2), BpeDropout(tokenizer, 0.4)
    library = Tokenizer(models.BPE(vocabulary, [("a", "b"), ("c", "d")], dropout=0.4, unk_token=SPECIALS[UNK]))
    found = Counter(tuple(cutter.encode("abcd", draws)) for _ in range(DRAWN))
    expected = Counter((vocabulary["▁"], *library.encode("abcd").ids) for _ in range(DRAWN))
    assert len(found) == len(expected) == 4
    assert same_distribution(found, expected) > 1e-3


def test_both_ends(bpe):
    """Nothing left out is the library's own segmentation; with all left out there are characters."""
    for line in [*LINES, "Zebras? unrelated, 22 Ünits", " ", ""]:
        ids = BpeDropout(bpe, 1e-12).encode(line, np.random.default_rng(1))
        assert ids == bpe.encode(line)
        characters = BpeDropout(bpe, 1.0).encode(line, np.random.default_rng(1))
        assert len(characters) == sum(map(len, bpe.words(line)))
        if UNK not in ids:
            drawn = BpeDropout(bpe, 0.5).encode(line, np.random.default_rng(3))
            assert bpe.decode(drawn) == line.lower().strip()
