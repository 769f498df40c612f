"""Minimum Bayes risk against sacreBLEU pair by pair; what is chosen of samples and of an n-best list."""

import math

import pytest
import torch
from sacrebleu.metrics import CHRF
from search_toy import ToyModel

from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.mbr import MinimumBayesRisk
from attnlab.search.sampling import Sampling
from attnlab.types import ConfigError

WORDS = ["-", "-", "-", "-", "dog", "cat", "dogs"]


def spoken(found):
    return [[" ".join(WORDS[token] for token in hypothesis.tokens) for hypothesis in several] for several in found]


@pytest.mark.parametrize(
    ("candidates", "weights"),
    [
        (Sampling(samples=9, max_length=4), "uniform"),
        (Beam(beam=6, n_best=6, max_length=4), "model"),
        (Beam(beam=4, n_best=4, max_length=4), "uniform"),
    ],
)
def test_what_is_chosen_has_the_highest_expected_chrf(candidates, weights):
    source = torch.tensor([[4, 5, 6], [6, 4, 0], [5, 5, 5]])
    search = MinimumBayesRisk(candidates, 2, weights)
    found = search(ToyModel(), source, source != 0)
    texts, utility = spoken(found), CHRF()
    for several, said, kept in zip(found, texts, search.rerank(["", "", ""], texts, found), strict=True):
        mass = [1.0 if weights == "uniform" else math.exp(hypothesis.log_prob) for hypothesis in several]
        expected = {
            text: sum(m * utility.sentence_score(text, [other]).score for m, other in zip(mass, said, strict=True))
            / sum(mass)
            for text in said
        }
        best = sorted(expected.values(), reverse=True)[:2]
        assert [hypothesis.score for hypothesis in kept] == pytest.approx(best)
        assert [expected[text] for text in spoken([kept])[0]] == pytest.approx(best)
        assert len({tuple(hypothesis.tokens) for hypothesis in kept}) == len(kept) == min(2, len(expected))


def test_one_candidate_is_no_choice():
    with pytest.raises(ConfigError, match="gives 1 of a sentence, to choose n_best=1 of"):
        MinimumBayesRisk(Greedy())
    with pytest.raises(ConfigError, match=r"gives 3 of a sentence, to choose n_best=5 of: .* raise"):
        MinimumBayesRisk(Sampling(samples=3), 5)
