"""Searches that are held to beginnings: against all translations that begin so, and against plain loops."""

import pytest
import torch
from search_toy import SOURCES, Toy, ToyModel, batch, exhaustive, rescore, slow_beam

from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.search.sampling import Sampling
from attnlab.types import EOS, UNK, ConfigError

PREFIXES = ((), (4,), (5, 4, 4), (UNK, 5), (5,))  #: of the sentences of the batch, one that is free among them


def path_of(hypothesis):
    ended = len(hypothesis.weights) == len(hypothesis.tokens) + 1
    return (*hypothesis.tokens, EOS) if ended else tuple(hypothesis.tokens)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("alpha", "beta", "least"), [(0.0, 0.0, 0), (0.6, 0.0, 2), (1.5, 0.7, 4)])
def test_a_wide_beam_finds_the_best_of_all_that_begin_so(seed, alpha, beta, least):
    toy = Toy(vocabulary=6, seed=seed)
    options = {"length_penalty": alpha, "coverage_penalty": beta, "min_length": least, "max_length": 5}
    found = Beam(beam=3**5, n_best=5, **options)(ToyModel(toy), *batch(), PREFIXES)
    for source, prefix, hypotheses in zip(SOURCES, PREFIXES, found, strict=True):
        best = [one for one in exhaustive(toy, source, 5, alpha, beta, least) if one.path[: len(prefix)] == prefix][:5]
        paths = [path_of(hypothesis) for hypothesis in hypotheses]
        assert paths[: len(best)] == [path for _, path in best]  # unfinished ones may stand behind, in free places
        scores = [hypothesis.score for hypothesis in hypotheses]
        assert scores[: len(best)] == pytest.approx([score for score, _ in best])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("beam", [1, 2, 5])
def test_a_narrow_beam_is_a_plain_loop(seed, beam):
    toy = Toy(vocabulary=8, seed=seed, eos=0.7)
    options = {"length_penalty": 0.6, "coverage_penalty": 0.3, "min_length": 1, "max_length": 9}
    n_best = (beam + 1) // 2
    found = Beam(beam=beam, n_best=n_best, **options)(ToyModel(toy), *batch(), PREFIXES)
    for source, prefix, hypotheses in zip(SOURCES, PREFIXES, found, strict=True):
        best = slow_beam(toy, source, 9, beam, 0.6, 0.3, 1, n_best, prefix)
        assert [path_of(hypothesis) for hypothesis in hypotheses] == [path for _, path in best]
        assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx([score for score, _ in best])


@pytest.mark.parametrize(
    "search", [Greedy(max_length=9), Sampling(samples=4, top_k=2, max_length=9), Sampling(samples=4, top_p=0.4)]
)
def test_every_search_goes_on_from_the_beginning_and_counts_it(search):
    toy = Toy(seed=1)
    for source, prefix, hypotheses in zip(SOURCES, PREFIXES, search(ToyModel(toy), *batch(), PREFIXES), strict=True):
        for hypothesis in hypotheses:
            assert tuple(hypothesis.tokens[: len(prefix)]) == prefix
            log_prob, weights = rescore(toy, source, path_of(hypothesis))
            assert hypothesis.log_prob == pytest.approx(log_prob)
            assert torch.allclose(hypothesis.weights, torch.from_numpy(weights).float())


def test_the_beginning_that_greedy_takes_anyway_changes_nothing():
    free = Greedy(max_length=9)(ToyModel(), *batch())
    prefixes = [found.tokens[: number + 1] for number, [found] in enumerate(free)]
    held = Greedy(max_length=9)(ToyModel(), *batch(), prefixes)
    assert [found.tokens for [found] in held] == [found.tokens for [found] in free]
    assert [found.log_prob for [found] in held] == [found.log_prob for [found] in free]


def test_the_models_own_numbers_are_left_alone():
    kept = []

    class Keeping(ToyModel):
        def advance(self, tokens, memory, state):
            step = super().advance(tokens, memory, state)
            kept.append((step.log_probs, step.log_probs.clone()))
            return step

    Greedy(max_length=9)(Keeping(), *batch(), PREFIXES)
    assert all(torch.equal(now, before) for now, before in kept)


@pytest.mark.parametrize(
    ("prefix", "options", "message"),
    [
        ((EOS,), {}, r"prefixes\[0\]: has </s>"),
        ((4, -1), {}, r"prefixes\[0\]: has -1"),
        ((4, UNK), {"forbid_unknown": True}, r"prefixes\[0\]: has <unk>"),
        ((4, 99), {}, "token 99 of a vocabulary of 7"),
        ((4,) * 6, {"max_length": 6}, r"prefixes\[0\]: 6 tokens, .* after 6 steps"),
    ],
)
def test_beginnings_that_no_translation_can_have(prefix, options, message):
    with pytest.raises(ConfigError, match=message):
        Greedy(**options)(ToyModel(), *batch(SOURCES[:1]), [prefix])


def test_one_beginning_a_sentence():
    with pytest.raises(ConfigError, match="prefixes: 1 for 5 sentences"):
        Greedy()(ToyModel(), *batch(), [()])
