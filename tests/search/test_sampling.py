"""Sampling against the known distribution, at fixed seeds."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from search_toy import SOURCES, FixedModel, Toy, ToyModel, batch, distribution, rescore

from attnlab.search.sampling import Sampling, invert, truncate
from attnlab.types import BOS, EOS, PAD


def slow_truncate(probs, top_k, top_p):
    """Keep top-k, renormalise, keep the smallest set of the likeliest with mass top_p, renormalise."""
    ranked = sorted(((p, i) for i, p in enumerate(probs)), reverse=True)[: top_k or len(probs)]
    mass = sum(p for p, _ in ranked)
    kept, reached = {}, 0.0
    for p, i in ranked:
        if top_p is not None and reached >= top_p:
            break
        kept[i] = p / mass
        reached += p / mass
    return {i: p / sum(kept.values()) for i, p in kept.items()}


def step_probs(toy, source, prefix, temperature=1.0, top_k=None, top_p=None):
    log_probs = distribution(toy, source, prefix)[0] / temperature
    allowed = np.exp(log_probs)
    allowed[[PAD, BOS]] = 0
    return slow_truncate((allowed / allowed.sum()).tolist(), top_k, top_p)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 2.0},
        {"top_k": 3},
        {"top_p": 0.8},
        {"top_k": 4, "top_p": 0.7},
    ],
)
def test_frequencies(options):
    toy, source, samples = Toy(seed=8, vocabulary=8), SOURCES[0], 4000
    [hypotheses] = Sampling(samples=samples, max_length=2, seed=3, **options)(ToyModel(toy), *batch((source,)))
    seen = Counter(
        (*hypothesis.tokens, EOS) if len(hypothesis.weights) > len(hypothesis.tokens) else tuple(hypothesis.tokens)
        for hypothesis in hypotheses
    )
    first = step_probs(toy, source, (), **options)
    wanted = {(EOS,): first.get(EOS, 0.0)}
    for token in set(first) - {EOS}:
        second = step_probs(toy, source, (token,), **options)
        wanted |= {(token, other): first[token] * p for other, p in second.items()}
    wanted = {path: p for path, p in wanted.items() if p > 0}
    assert set(seen) <= set(wanted)
    rare = {path for path, p in wanted.items() if p * samples < 5}
    cells = [(seen[path], p * samples) for path, p in wanted.items() if path not in rare]
    left = sum(wanted[path] for path in rare) * samples
    if left > 0:
        cells.append((sum(seen[path] for path in rare), left))
    statistic = sum((count - expected) ** 2 / expected for count, expected in cells)
    freedom = torch.tensor((len(cells) - 1) / 2)
    assert torch.special.gammaincc(freedom, torch.tensor(statistic / 2)) > 0.01


@pytest.mark.parametrize(("top_k", "top_p"), list(product([None, 1, 3, 50], [None, 1e-9, 0.3, 0.75, 1.0])))
def test_truncation_is_exact(top_k, top_p):
    rows = torch.randn(20, 11, dtype=torch.float64).log_softmax(-1)
    rows[:, 2] = -math.inf
    probs, ids = truncate(rows, top_k, top_p)
    for row, values in enumerate(probs / probs.sum(-1, keepdim=True)):
        names = range(11) if ids is None else ids[row].tolist()
        found = {i: p for i, p in zip(names, values.tolist(), strict=True) if p > 0}
        wanted = {i: p for i, p in slow_truncate(rows[row].exp().tolist(), top_k, top_p).items() if p > 0}
        assert found == pytest.approx(wanted)


def test_the_nucleus_ends_where_its_mass_is_reached():
    probs, ids = truncate(torch.tensor([[0.125, 0.5, 0.25, 0.125]]).log(), None, 0.75)
    assert ids[0, probs[0] > 0].tolist() == [1, 2]


def test_inversion_never_gives_a_token_without_probability():
    probs = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]]).expand(6, -1)
    draws = torch.tensor([0.0, 0.2, 0.25, 0.5, 0.9999999, 1.0])
    assert invert(probs, draws).tolist() == [1, 1, 3, 3, 3, 3]


def test_log_prob_is_the_models_own_and_samples_are_sorted():
    toy = Toy(seed=2)
    sampling = Sampling(samples=9, temperature=1.7, top_k=4, max_length=8)
    for source, hypotheses in zip(SOURCES, sampling(ToyModel(toy), *batch()), strict=True):
        assert len(hypotheses) == 9
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        for hypothesis in hypotheses:
            ended = len(hypothesis.weights) > len(hypothesis.tokens)
            path = (*hypothesis.tokens, EOS) if ended else tuple(hypothesis.tokens)
            log_prob, weights = rescore(toy, source, path)
            assert hypothesis.score == hypothesis.log_prob == pytest.approx(log_prob)
            assert torch.allclose(hypothesis.weights, torch.from_numpy(weights).float())


def test_half_precision_reaches_the_whole_vocabulary():
    even = FixedModel([-6.9] * 1004, dtype=torch.bfloat16)
    [hypotheses] = Sampling(samples=9000, max_length=1)(even, *batch((SOURCES[0],)))
    assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) > 990  # of 1002, PAD and BOS left out


def tokens_of(found):
    return [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found]


def test_the_seed_decides():
    state = torch.random.get_rng_state()
    one, again, other = (
        tokens_of(Sampling(samples=5, max_length=9, seed=seed)(ToyModel(), *batch())) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert torch.equal(torch.random.get_rng_state(), state)


def test_neither_batch_nor_order_matters():
    toy, sampling = Toy(seed=6), Sampling(samples=4, max_length=9)
    together = tokens_of(sampling(ToyModel(toy), *batch()))
    for i, source in enumerate(SOURCES):
        assert tokens_of(sampling(ToyModel(toy), *batch((source,)))) == [together[i]]
    assert together[::-1] == tokens_of(sampling(ToyModel(toy), *batch(SOURCES[::-1])))


def test_a_sentence_leaves_when_all_its_samples_have_ended():
    model = ToyModel(Toy(seed=7, eos=1.0))
    found = Sampling(samples=3, max_length=20)(model, *batch())
    lengths = [max(len(hypothesis.weights) for hypothesis in hypotheses) for hypotheses in found]
    assert len(set(lengths)) > 1
    first = len(lengths)  # where all samples of a sentence read the same, it is computed once
    assert model.rows == [first] + [3 * sum(length > t for length in lengths) for t in range(1, max(lengths))]


def test_limits_hold():
    found = Sampling(samples=200, min_length=2, max_length=4, forbid_unknown=True)(ToyModel(), *batch())
    tokens = {token for hypotheses in tokens_of(found) for ids in hypotheses for token in ids}
    assert tokens == {4, 5, 6}
    assert {len(ids) for hypotheses in tokens_of(found) for ids in hypotheses} == {2, 3, 4}
