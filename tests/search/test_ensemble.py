"""Several models as one against a beam search that averages their probabilities number by number."""

import math
from itertools import product

import pytest
import torch
from search_toy import Toy, ToyModel, distribution

from attnlab.search.beam import Beam
from attnlab.search.ensemble import Ensemble
from attnlab.search.greedy import Greedy
from attnlab.types import BOS, EOS, PAD

TOYS = [Toy(seed=seed, eos=1.0) for seed in range(3)]
WORDS = [word for word in range(7) if word not in (PAD, BOS)]
SOURCES = [(4, 5, 6), (5, 4)]


def mean(source, prefix):
    """The mean of the probabilities of each word."""
    return [
        math.log(sum(math.exp(distribution(toy, source, prefix)[0][word]) for toy in TOYS) / len(TOYS))
        for word in range(7)
    ]


def log_prob(source, tokens):
    return sum(mean(source, tokens[:place])[word] for place, word in enumerate(tokens))


@pytest.fixture
def batch():
    source = torch.tensor([[4, 5, 6], [5, 4, 0]])
    return source, source != 0


def test_greedy_search_takes_the_likeliest_by_the_mean(batch):
    found = Greedy(max_length=6)(Ensemble([ToyModel(toy) for toy in TOYS]), *batch)
    for source, (hypothesis,) in zip(SOURCES, found, strict=True):
        tokens = ()
        while len(tokens) < 6 and EOS not in tokens:
            row = mean(source, tokens)
            tokens += (max(WORDS, key=row.__getitem__),)
        assert tuple(hypothesis.tokens) == tuple(token for token in tokens if token != EOS)
        assert hypothesis.log_prob == pytest.approx(log_prob(source, tokens))
        weights = [
            torch.from_numpy(sum(distribution(toy, source, tokens[:t])[1] for toy in TOYS) / 3)
            for t in range(len(tokens))
        ]
        torch.testing.assert_close(hypothesis.weights, torch.stack(weights), check_dtype=False)


def test_a_wide_beam_finds_the_likeliest_of_all(batch):
    """Nothing is lost in a beam as wide as all that there is: every sentence of up to three words is tried."""
    search = Beam(beam=7**3, n_best=3, length_penalty=0.0, max_length=3, max_ratio=3, max_extra=0)
    found = search(Ensemble([ToyModel(toy) for toy in TOYS]), *batch)
    for source, hypotheses in zip(SOURCES, found, strict=True):
        words = [word for word in WORDS if word != EOS]
        ended = [(*tokens, EOS) for n in range(3) for tokens in product(words, repeat=n)]
        allowed = [tokens for tokens in ended if math.isfinite(log_prob(source, tokens))]
        best = sorted((log_prob(source, tokens) for tokens in allowed), reverse=True)[:3]
        assert [hypothesis.log_prob for hypothesis in hypotheses] == pytest.approx(best)


def test_one_model_is_itself_and_none_has_to_draw(batch):
    toy = ToyModel(TOYS[0])
    (alone,), (other,) = (Greedy(max_length=6)(model, *batch)[:1] for model in (toy, Ensemble([toy])))
    assert alone[0].tokens == other[0].tokens
    silent = Ensemble([ToyModel(TOYS[0], draws_weights=False)])
    assert Greedy(max_length=6)(silent, *batch)[0][0].weights is None


def test_the_shortest_room_counts():
    first, second = ToyModel(), ToyModel()
    assert Ensemble([first, second]).longest_target is None
    second.longest_target = 9
    assert Ensemble([first, second]).longest_target == 9
