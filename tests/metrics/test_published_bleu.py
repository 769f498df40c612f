"""BLEU of lower-cased Moses words, against the definition and against words that were parted by hand."""

import math

import pytest
from sacrebleu.metrics.bleu import BLEU

from attnlab.metrics.published_bleu import published_bleu

SAID = ["Ein Mann schläft auf der Bank.", "Zwei Hunde spielen im Schnee!"]
WANTED = ["ein Mann schläft auf einer Bank .", "Zwei hunde spielen im tiefen Schnee!"]
PARTED = (  # by hand
    ["ein mann schläft auf der bank .", "zwei hunde spielen im schnee !"],
    ["ein mann schläft auf einer bank .", "zwei hunde spielen im tiefen schnee !"],
)


def test_it_is_bleu_of_the_words_parted_by_hand():
    found = published_bleu(SAID, WANTED, "de")
    assert found.score == pytest.approx(BLEU(tokenize="none", force=True).corpus_score(PARTED[0], [PARTED[1]]).score)
    precisions = []
    for order in range(1, 5):
        matches = total = 0
        for said, wanted in zip(*PARTED, strict=True):
            grams, there = (
                [tuple(words[i : i + order]) for i in range(len(words) - order + 1)]
                for words in (said.split(), wanted.split())
            )
            total += len(grams)
            matches += sum(min(grams.count(gram), there.count(gram)) for gram in set(grams))
        precisions.append(matches / total)
    short = min(1.0, math.exp(1 - 14 / 13))
    assert found.score == pytest.approx(100 * short * math.prod(precisions) ** 0.25)
    assert "case:lc" in found.signature
    assert "tok:moses-de-sacremoses-" in found.signature


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_words_that_no_blanks_part_have_no_such_score(language):
    assert published_bleu(["x"], ["x"], language) is None
