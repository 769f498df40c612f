"""Words are counted as sacreBLEU cuts whole sentences."""

import random
from collections import Counter

import pytest
from sacrebleu.metrics.bleu import BLEU

from attnlab.tasks.translation.word_counts import count_words

PIECES = [
    "3.5",
    "1,000",
    "z.B.",
    "Haus",
    "Haus,",
    "(so)",
    "U.S.A.",
    "e-mail",
    "10-12",
    "&quot;ja&quot;",
    "ist's",
    "!",
    "5%",
    "a/b",
]


@pytest.mark.parametrize("tokenize", ["13a", "zh", "char", "none"])
def test_counts_are_those_of_whole_sentences(tokenize: str) -> None:
    draw = random.Random(3)
    lines = [" ".join(draw.choices(PIECES, k=draw.randint(1, 12))) for _ in range(300)]
    scorer = BLEU(tokenize=tokenize)
    expected = Counter(word for line in lines for word in scorer._preprocess_segment(line).split())
    assert count_words(lines, lambda text: scorer._preprocess_segment(text).split()) == expected
