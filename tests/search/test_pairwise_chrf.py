"""chrF of all pairs against sacreBLEU's of each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF

from attnlab.search.pairwise_chrf import pairwise_chrf

TEXTS = [
    "the dog sleeps .",
    "the dogs sleep !",
    "a cat",
    "a",
    "",
    "  ",
    "Ünïcode 猫 words",
    "aaaaaaaaaa",
    "the dog sleeps .",
]


def check(hypotheses, references):
    ours, theirs = pairwise_chrf(hypotheses, references), CHRF()
    for row, hypothesis in enumerate(hypotheses):
        for column, reference in enumerate(references):
            expected = theirs.sentence_score(hypothesis, [reference]).score
            assert ours[row, column] == pytest.approx(expected, abs=1e-9)


def test_it_is_sacrebleus():
    check(TEXTS, TEXTS[:6])
    check(TEXTS[:2], TEXTS)


@settings(max_examples=30)
@given(st.lists(st.text("ab c.", max_size=12), min_size=1, max_size=4))
def test_it_is_sacrebleus_of_any_texts(texts):
    check(texts, texts)
