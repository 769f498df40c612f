"""Greedy search against a plain loop, and what all searches share: the batch, the limits, the errors."""

import math

import pytest
import torch
from search_toy import SOURCES, FixedModel, Toy, ToyModel, batch, distribution, rescore

from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.sampling import Sampling
from attnlab.types import BOS, EOS, PAD, UNK, ConfigError, DataError, Step


def slow_greedy(toy, source, steps, least=0, forbidden=(PAD, BOS)):
    path = ()
    for t in range(steps):
        log_probs, _ = distribution(toy, source, path)
        banned = {*forbidden, EOS} if t < least else {*forbidden}
        allowed = [token for token in range(toy.vocabulary) if token not in banned]
        path = (*path, max(allowed, key=lambda token: log_probs[token]))
        if path[-1] == EOS:
            break
    return path


def path_of(hypothesis):
    ended = len(hypothesis.weights) == len(hypothesis.tokens) + 1
    return (*hypothesis.tokens, EOS) if ended else tuple(hypothesis.tokens)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [0, 3])
def test_equals_a_plain_loop(seed, least):
    toy = Toy(seed=seed)
    found = Greedy(min_length=least, max_length=9)(ToyModel(toy), *batch())
    for source, [hypothesis] in zip(SOURCES, found, strict=True):
        path = slow_greedy(toy, source, 9, least)
        assert path_of(hypothesis) == path
        log_prob, weights = rescore(toy, source, path)
        assert hypothesis.log_prob == pytest.approx(log_prob, abs=1e-9)
        assert hypothesis.score == hypothesis.log_prob
        assert torch.allclose(hypothesis.weights, torch.from_numpy(weights).float())


def test_a_finished_sentence_leaves_the_batch():
    model = ToyModel(Toy(seed=3))
    found = Greedy(max_length=12)(model, *batch())
    lengths = [len(hypothesis.weights) for [hypothesis] in found]
    assert len(set(lengths)) > 1
    assert model.rows == [sum(length > t for length in lengths) for t in range(max(lengths))]


def test_neither_batch_nor_order_matters():
    toy = Toy(seed=1)
    together = Greedy(max_length=12)(ToyModel(toy), *batch())
    order = (3, 0, 4, 2, 1)
    shuffled = Greedy(max_length=12)(ToyModel(toy), *batch(tuple(SOURCES[i] for i in order)))
    for place, i in enumerate(order):
        [[alone]] = Greedy(max_length=12)(ToyModel(toy), *batch((SOURCES[i],)))
        for other in (together[i][0], shuffled[place][0]):
            assert other[:3] == alone[:3]
            assert torch.equal(other.weights, alone.weights)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"max_length": 4, "max_ratio": 9.0}, [4, 4, 4, 4, 4]),
        ({"max_length": 50, "max_ratio": 1.5, "max_extra": 0}, [5, 2, 8, 3, 6]),
        ({"max_length": 50, "max_ratio": 1.0, "max_extra": 2}, [5, 3, 7, 4, 6]),
        ({"max_length": 50, "max_ratio": 0.0, "max_extra": 0, "min_length": 2}, [3, 3, 3, 3, 3]),
    ],
)
def test_maximum_length(options, steps):
    never_ends = Toy(eos=-50.0)
    found = Greedy(**options)(ToyModel(never_ends), *batch())
    if "min_length" not in options:
        assert [len(hypothesis.tokens) for [hypothesis] in found] == steps
    assert [len(hypothesis.weights) for [hypothesis] in found] == steps


def test_minimum_length():
    ends_at_once = Toy(eos=50.0)
    for least in (0, 1, 4):
        found = Greedy(min_length=least, max_length=9)(ToyModel(ends_at_once), *batch())
        assert [len(hypothesis.tokens) for [hypothesis] in found] == [least] * len(SOURCES)


def test_specials_are_never_produced():
    likes_specials = FixedModel([-0.1, -0.5, -0.2, -9.0, -1.0, -2.0, -3.0])
    [[hypothesis]] = Greedy(max_length=3)(likes_specials, *batch((SOURCES[0],)))
    assert hypothesis.tokens == [UNK] * 3
    [[hypothesis]] = Greedy(max_length=3, forbid_unknown=True)(likes_specials, *batch((SOURCES[0],)))
    assert hypothesis.tokens == [4] * 3
    assert hypothesis.log_prob == -3.0
    assert likes_specials.log_probs[PAD] == pytest.approx(-0.1)


def test_runs_without_gradient():
    model = ToyModel()
    Greedy(max_length=5)(model, *batch())
    assert all(model.inference)


def test_without_weights():
    toy = Toy(seed=2)
    [[bare], *_] = Greedy(max_length=9)(ToyModel(toy, draws_weights=False), *batch())
    [[drawn], *_] = Greedy(max_length=9)(ToyModel(toy), *batch())
    assert bare.weights is None
    assert bare[:3] == drawn[:3]


def test_half_precision_is_summed_in_single():
    class Flat(ToyModel):
        def advance(self, tokens, memory, state):
            step = super().advance(tokens, memory, state)
            values = torch.tensor([-9, -9, -9, -9, -1.0078125, -9, -9], dtype=torch.bfloat16)
            return Step(values.expand(len(tokens), -1), step.weights.bfloat16(), step.state)

    [[hypothesis]] = Greedy(max_length=60, max_ratio=60.0)(Flat(), *batch((SOURCES[0],)))
    assert hypothesis.log_prob == 60 * -1.0078125  # bfloat16 sums would stop at 2 or 3 digits
    assert hypothesis.weights.dtype == torch.float32


def test_an_empty_batch():
    assert Greedy()(ToyModel(), torch.zeros(0, 3, dtype=torch.long), torch.zeros(0, 3, dtype=torch.bool)) == []


def test_an_empty_sentence_is_refused():
    source, mask = batch()
    with pytest.raises(DataError, match=r"sentence 2 .*no source token"):
        Greedy()(ToyModel(), source, mask & (torch.arange(5) != 2)[:, None])


@pytest.mark.parametrize("search", [Greedy(max_length=5), Beam(beam=1), Beam(beam=3), Sampling(), Sampling(top_p=0.5)])
@pytest.mark.parametrize("value", [[math.nan] * 7, [-math.inf] * 7, [-0.1, -math.inf, -0.1] + [-math.inf] * 4])
def test_a_broken_model_is_reported(search, value):
    with pytest.raises(FloatingPointError, match=r"sentence \d .*log-probabilities"):
        search(FixedModel(value), *batch())


@pytest.mark.parametrize(("search", "options"), [(Greedy, {}), (Beam, {"beam": 1}), (Beam, {}), (Sampling, {})])
def test_a_vocabulary_of_forbidden_tokens_is_reported(search, options):
    with pytest.raises(FloatingPointError, match="may be produced"):
        search(min_length=1, forbid_unknown=True, **options)(FixedModel([-1.4] * 4), *batch())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu():
    source, mask = batch()
    there = Greedy(max_length=9)(ToyModel(), source.cuda(), mask.cuda())
    for [one], [other] in zip(Greedy(max_length=9)(ToyModel(), source, mask), there, strict=True):
        assert one[:3] == other[:3]
        assert torch.equal(one.weights, other.weights)


def test_a_tie_falls_the_same_way_in_any_batch():
    flat = FixedModel([-1.0] * 7)
    together = Greedy(max_length=3)(flat, *batch())
    alone = Greedy(max_length=3)(flat, *batch((SOURCES[1],)))
    assert together[1][0].tokens == alone[0][0].tokens


@pytest.mark.parametrize("most", [1, 4, 30])
def test_a_search_ends_where_the_models_positions_end(most):
    """As with max_length=most, and no step more is asked of the model."""
    model = ToyModel(Toy(seed=3))
    model.longest_target = most
    for make in (Greedy, Beam, Sampling):
        model.rows.clear()
        clipped = make(max_length=12)(model, *batch())
        assert len(model.rows) <= most
        plain = make(max_length=min(most, 12))(ToyModel(Toy(seed=3)), *batch())
        assert [[h.tokens for h in found] for found in clipped] == [[h.tokens for h in found] for found in plain]
    with pytest.raises(ConfigError, match=rf"min_length={most}: the model knows {most} positions.*={most + 1}"):
        Greedy(min_length=most, max_length=most + 9)(model, *batch())
