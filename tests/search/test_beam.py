"""Beam search against exhaustive search, a plain-loop beam search, and the greedy search."""

import math

import pytest
import torch
from search_toy import (
    SOURCES,
    FixedModel,
    Toy,
    ToyModel,
    batch,
    distribution,
    exhaustive,
    penalised,
    rescore,
    slow_beam,
)

from attnlab.search import loop
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.penalties import COVERAGE_FLOOR, coverage_penalty, length_penalty
from attnlab.types import EOS, ConfigError


def path_of(hypothesis):
    ended = len(hypothesis.weights) == len(hypothesis.tokens) + 1
    return (*hypothesis.tokens, EOS) if ended else tuple(hypothesis.tokens)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("alpha", "beta", "least"), [(0.0, 0.0, 0), (0.6, 0.0, 0), (1.0, 0.0, 2), (0.2, 0.2, 0), (1.5, 0.7, 1)]
)
def test_a_wide_beam_is_exhaustive(seed, alpha, beta, least):
    toy = Toy(vocabulary=6, seed=seed)
    options = {"length_penalty": alpha, "coverage_penalty": beta, "min_length": least, "max_length": 5}
    found = Beam(beam=3**5, n_best=7, **options)(ToyModel(toy), *batch())
    for source, hypotheses in zip(SOURCES, found, strict=True):
        best = exhaustive(toy, source, 5, alpha, beta, least)[:7]
        assert [path_of(hypothesis) for hypothesis in hypotheses] == [path for _, path in best]
        assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx([score for score, _ in best])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("beam", [1, 2, 3, 6])
@pytest.mark.parametrize(("alpha", "beta", "least"), [(0.0, 0.0, 0), (0.6, 0.0, 1), (2.0, 0.3, 0)])
def test_equals_a_plain_loop_that_never_stops_early(seed, beam, alpha, beta, least):
    toy = Toy(vocabulary=8, seed=seed, eos=0.7)
    options = {"length_penalty": alpha, "coverage_penalty": beta, "min_length": least, "max_length": 9}
    n_best = (beam + 1) // 2
    model = ToyModel(toy)
    found = Beam(beam=beam, n_best=n_best, **options)(model, *batch())
    for source, hypotheses in zip(SOURCES, found, strict=True):
        best = slow_beam(toy, source, 9, beam, alpha, beta, least, n_best)
        assert [path_of(hypothesis) for hypothesis in hypotheses] == [path for _, path in best]
        assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx([score for score, _ in best])


def test_stops_before_the_longest_allowed_length():
    model = ToyModel(Toy(seed=3, eos=2.0))
    Beam(beam=3, max_length=40, max_extra=40)(model, *batch())
    assert len(model.rows) < 20


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0])
def test_a_beam_of_one_is_greedy(dtype, alpha):
    for seed in range(5):
        toy = Toy(seed=seed, eos=-1.0, sharpness=0.5)  # close calls, and ties in half precision
        greedy, beam = ToyModel(toy, dtype=dtype), ToyModel(toy, dtype=dtype)
        wanted = Greedy(max_length=15)(greedy, *batch())
        found = Beam(beam=1, length_penalty=alpha, max_length=15)(beam, *batch())
        assert beam.rows == greedy.rows
        for [one], [other] in zip(wanted, found, strict=True):
            assert one.tokens == other.tokens
            assert one.log_prob == other.log_prob
            assert torch.equal(one.weights, other.weights)


@pytest.mark.parametrize("best", [4, 5])
def test_a_beam_of_one_is_greedy_where_the_sum_rounds_the_difference_away(best):
    close = [-9.0, -9.0, -9.0, -9.0, -1.0000002, -1.0000002, -9.0]
    close[best] = -1.0000001
    for search in (Greedy(max_length=40, max_ratio=40.0), Beam(beam=1, max_length=40, max_ratio=40.0)):
        [[hypothesis]] = search(FixedModel(close), *batch((SOURCES[0],)))
        assert hypothesis.tokens == [best] * 40


def test_n_best_are_sorted_distinct_and_can_be_rescored():
    toy = Toy(seed=5, vocabulary=9, eos=1.0)
    found = Beam(beam=6, n_best=6, length_penalty=0.8, coverage_penalty=0.1)(ToyModel(toy), *batch())
    for source, hypotheses in zip(SOURCES, found, strict=True):
        assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == 6
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores == sorted(scores, reverse=True)
        for hypothesis in hypotheses:
            log_prob, weights = rescore(toy, source, path_of(hypothesis))
            assert hypothesis.log_prob == pytest.approx(log_prob)
            assert hypothesis.score == pytest.approx(penalised(log_prob, weights, 0.8, 0.1))
            assert torch.allclose(hypothesis.weights, torch.from_numpy(weights).float())


def test_neither_batch_nor_order_matters_and_finished_sentences_cost_nothing():
    toy, beam = Toy(seed=2, eos=1.0), Beam(beam=4, n_best=3, max_length=20)
    together = ToyModel(toy)
    found = beam(together, *batch())
    order = (4, 2, 0, 3, 1)
    shuffled = beam(ToyModel(toy), *batch(tuple(SOURCES[i] for i in order)))
    rows = []
    for place, i in enumerate(order):
        alone = ToyModel(toy)
        [hypotheses] = beam(alone, *batch((SOURCES[i],)))
        rows.append(alone.rows)
        for others in (found[i], shuffled[place]):
            for one, other in zip(hypotheses, others, strict=True):
                assert one[:3] == other[:3]
                assert torch.equal(one.weights, other.weights)
    longest = max(len(each) for each in rows)
    assert len({len(each) for each in rows}) > 1
    assert together.rows == [sum(each[t] for each in rows if t < len(each)) for t in range(longest)]


def test_unfinished_hypotheses_only_fill_free_places():
    class EndsLate(ToyModel):
        """EOS is possible from step 3 on only, and then takes one of the three places."""

        def advance(self, tokens, memory, state):
            step = super().advance(tokens, memory, state)
            t = int(step.state.length[0])
            values = [-99.0, -99.0, -99.0, -2.0 if t == 3 else -199.0, -0.1, (-2.4, -2.6, -9.0)[t - 1], -99.0]
            return step._replace(log_probs=torch.tensor(values).repeat(len(tokens), 1))

    [hypotheses] = Beam(beam=3, n_best=3, max_length=3, length_penalty=0.0)(EndsLate(), *batch((SOURCES[0],)))
    assert [path_of(hypothesis) for hypothesis in hypotheses] == [(4, 4, EOS), (4, 4, 4), (5, 4, 4)]
    assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx([-2.2, -0.3, -2.6])


def test_patience_stops_after_so_many_finished_hypotheses():
    toy = Toy(seed=4, eos=1.0, vocabulary=8)
    exact = ToyModel(toy)
    Beam(beam=4, length_penalty=1.0, max_length=30)(exact, *batch((SOURCES[0],)))
    for patience, enough in ((0.5, 2), (1.0, 4)):
        model = ToyModel(toy)
        Beam(beam=4, patience=patience, length_penalty=1.0, max_length=30)(model, *batch((SOURCES[0],)))
        assert len(model.rows) == _steps_until(toy, SOURCES[0], 4, enough) < len(exact.rows)


def _steps_until(toy, source, beam, enough):
    live, ended = [(0.0, ())], 0
    for t in range(30):
        extended = []
        for total, path in live:
            log_probs, _ = distribution(toy, source, path)
            extended += [(total + log_probs[token], (*path, token)) for token in (1, *range(3, toy.vocabulary))]
        best = sorted(extended, reverse=True)[:beam]
        ended += sum(path[-1] == EOS for _, path in best)
        live = [(total, path) for total, path in best if path[-1] != EOS]
        if ended >= enough:
            return t + 1
    raise AssertionError("never")


def test_length_penalty_is_that_of_the_paper():
    for length in (1, 2, 7, 30):
        for alpha in (0.0, 0.2, 0.65, 1.0):
            wanted = (5 + length) ** alpha / (5 + 1) ** alpha
            assert length_penalty(float(length), alpha) == pytest.approx(wanted)
            assert length_penalty(torch.tensor([length]), alpha).item() == pytest.approx(wanted)


def test_coverage_penalty_is_that_of_the_paper():
    covered = torch.tensor([[[0.25, 1.75, 0.5, 0.9], [1.0, 2.0, 0.0, 0.9]]], dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False]])
    found = coverage_penalty(covered, mask, 0.3)
    one = 0.3 * (math.log(0.25) + math.log(1.0) + math.log(0.5))
    other = 0.3 * (0.0 + 0.0 + math.log(COVERAGE_FLOOR))
    assert found.tolist() == [pytest.approx([one, other])]


def test_coverage_needs_weights():
    with pytest.raises(ConfigError, match=r"coverage_penalty.*needs attention weights"):
        Beam(coverage_penalty=0.2)(ToyModel(draws_weights=False), *batch())
    found = Beam(coverage_penalty=0.0)(ToyModel(draws_weights=False), *batch())
    assert all(hypothesis.weights is None for [hypothesis] in found)


def test_unknown_can_be_forbidden():
    toy = Toy(vocabulary=6, seed=1, eos=-0.5)
    for forbid in (False, True):
        found = Beam(beam=20, n_best=20, forbid_unknown=forbid, max_length=4)(ToyModel(toy), *batch())
        tokens = {token for hypotheses in found for hypothesis in hypotheses for token in hypothesis.tokens}
        assert tokens == ({4, 5} if forbid else {1, 4, 5})


def test_fewer_hypotheses_where_the_model_has_no_more():
    class OneWay(ToyModel):
        def advance(self, tokens, memory, state):
            step = super().advance(tokens, memory, state)
            values = torch.full((len(tokens), 7), -math.inf)
            values[:, 4 if int(step.state.length[0]) < 3 else EOS] = -0.5
            return step._replace(log_probs=values)

    found = Beam(beam=4, n_best=4)(OneWay(), *batch())
    assert [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found] == [[[4, 4]]] * len(SOURCES)
    assert found[0][0].log_prob == pytest.approx(-1.5)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_nan_is_reported_also_after_a_hypothesis_finished(at):
    class Breaks(ToyModel):
        def advance(self, tokens, memory, state):
            step = super().advance(tokens, memory, state)
            values = torch.tensor([-99.0, -99.0, -99.0, -1.0, -0.5, -9.0, -9.0]).repeat(len(tokens), 1)
            if int(step.state.length[0]) == at:
                values[-1] = math.nan  # the last hypothesis of the last sentence
            return step._replace(log_probs=values)

    with pytest.raises(FloatingPointError, match=r"sentence 4 .*log-probabilities"):
        Beam(beam=2, length_penalty=1.0)(Breaks(), *batch())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu():
    source, mask = batch()
    beam = Beam(beam=4, n_best=2, coverage_penalty=0.2, max_length=12)
    there = beam(ToyModel(), source.cuda(), mask.cuda())
    for ones, others in zip(beam(ToyModel(), source, mask), there, strict=True):
        for one, other in zip(ones, others, strict=True):
            assert one.tokens == other.tokens
            assert one.score == pytest.approx(other.score)
            assert torch.equal(one.weights, other.weights)


def test_the_last_sentences_take_the_places_of_those_that_leave():
    split = loop._split(torch.tensor([False, True, False, True, False, False, True]))
    assert split == ([0, 4, 2, 5], [1, 3, 6])
