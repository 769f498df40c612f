"""Monotonic attention and MoChA against what they are expectations of: all hard alignments, one by one."""

from itertools import product

import pytest
import torch
from hydra.utils import instantiate
from presets_asked import composed

from attnlab.attention.windows.mocha import spread
from attnlab.attention.windows.monotonic import reach
from attnlab.testing.asking import D, ask, encoded, in_steps, make


def paths(p):
    """Every hard alignment of algorithm 1 with its probability: where each step stops, None once past the end."""
    T, S = p.shape
    for stops in product([*range(S), None], repeat=T):
        stand, chance = 0, 1.0
        for t, stop in enumerate(stops):
            if stand is None:
                chance = chance * float(stop is None)
                continue
            if stop is not None and stop < stand:
                chance = 0.0
                break
            for j in range(stand, S if stop is None else stop):
                chance = chance * (1 - p[t, j])
            chance = chance if stop is None else chance * p[t, stop]
            stand = stop
        if not (isinstance(chance, float) and chance == 0.0):
            yield stops, chance


def recursion(p):
    """The alignment of all steps by ``reach``."""
    previous, rows = torch.zeros_like(p[0]), []
    previous[0] = 1
    for row in p:
        previous = row * reach((1 - row)[None, None], previous[None, None])[0, 0]
        rows.append(previous)
    return torch.stack(rows)


@pytest.mark.parametrize(("T", "S"), [(1, 4), (3, 4), (4, 3), (3, 1), (2, 5)])
def test_the_recursion_is_the_expectation_over_all_hard_alignments(T, S):
    p = torch.rand(T, S, dtype=torch.float64).requires_grad_()
    expected, total = [[torch.zeros(()).double() for _ in range(S)] for _ in range(T)], 0.0
    for stops, chance in paths(p):
        total = total + chance
        for t, stop in enumerate(stops):
            if stop is not None:
                expected[t][stop] = expected[t][stop] + chance
    expected = torch.stack([torch.stack(row) for row in expected])
    assert total.item() == pytest.approx(1)
    got = recursion(p)
    torch.testing.assert_close(got, expected)
    probe = torch.randn(T, S).double()
    slopes = [torch.autograd.grad((rows * probe).sum(), p)[0] for rows in (got, expected)]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("w", [1, 2, 3, 9])
def test_chunks_are_the_expectation_of_soft_attention_behind_every_stop(w):
    T, S = 3, 4
    p, u = torch.rand(T, S, dtype=torch.float64), torch.randn(T, S, dtype=torch.float64)
    expected = torch.zeros(T, S, dtype=torch.float64)
    for stops, chance in paths(p):
        for t, stop in enumerate(stops):
            if stop is not None:
                chunk = slice(max(0, stop - w + 1), stop + 1)
                expected[t, chunk] += chance * u[t, chunk].softmax(0)
    torch.testing.assert_close(spread(recursion(p)[None], u[None], w)[0], expected)
    assert spread(recursion(p)[None], 1e4 * u[None].float(), w).isfinite().all()  # energies whose exp overflows


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0, 100.0])
def test_a_hundred_words_in_single_precision(scale):
    """Against double precision word by word; the paper's quotient of cumulative products would be 0 / 0 here."""
    T, S = 30, 100
    p = (scale * torch.randn(T, S, dtype=torch.float64)).sigmoid().float()
    exact, previous = [], [1.0] + [0.0] * (S - 1)
    for row in p.double().tolist():
        q = 0.0
        alpha = []
        for j in range(S):
            q = (1 - row[j - 1]) * q + previous[j] if j else previous[0]
            alpha.append(row[j] * q)
        previous = alpha
        exact.append(alpha)
    exact = torch.tensor(exact, dtype=torch.float64)
    p = p.requires_grad_()
    got = recursion(p)
    torch.testing.assert_close(got.double(), exact, atol=1e-30, rtol=1e-4)
    (gradient,) = torch.autograd.grad(got[-1].square().sum() + got.sum(), p)
    assert gradient.isfinite().all()


def mechanism(preset, *settings):
    return make(instantiate(composed(preset, *settings)), torch.float64)


@pytest.mark.parametrize("preset", ["monotonic", "mocha"])
def test_decisive_energies_make_the_expectation_hard(preset):
    """With |e| large every p is 0 or 1, and training without noise does what evaluation does."""
    attention = mechanism(preset, "attention.window.noise=0.0")
    torch.nn.init.constant_(attention.score.g, 1e4)
    sentence, query = encoded(lengths=[6, 5, 3]), torch.randn(3, 7, D).double()
    hard = ask(attention.eval(), query, sentence).weights
    torch.testing.assert_close(ask(attention.train(), query, sentence).weights, hard)
    assert hard.sum() > 1


def test_decoding_never_goes_back():
    attention = mechanism("monotonic")
    torch.nn.init.constant_(attention.score.g, 3.0)
    sentence, query = encoded(lengths=[6, 6, 6]), torch.randn(3, 6, D).double()
    weights = in_steps(attention, query, sentence).weights
    assert set(weights.unique().tolist()) == {0.0, 1.0}
    for row in weights:
        stops = [step.argmax().item() if step.any() else 6 for step in row]
        assert stops == sorted(stops)


def test_noise_is_of_training_only_and_has_its_size():
    sentence, query = encoded(lengths=[6, 6, 6]), torch.randn(3, 4, D).double()
    attention = mechanism("monotonic", "attention.window.noise=2.0")
    first = ask(attention.train(), query, sentence).weights
    assert (ask(attention, query, sentence).weights - first).abs().max() > 1e-3
    evaluated = ask(attention.eval(), query, sentence).weights
    assert torch.equal(ask(attention, query, sentence).weights, evaluated)
    # p of the first word of the first step is sigmoid(e + r + noise): undo the sigmoid, and the noise is what is left
    attention = mechanism("monotonic", "attention.window.noise=2.0").train()
    memory, query = attention.memory(encoded(lengths=[6] * 4000)), torch.randn(4000, 1, D).double()
    history = attention.initial_state(memory)
    energy = attention.score(query, memory, history)[:, 0, 0] + attention.window.r
    drawn = attention(query, memory, history).weights[:, 0, 0]
    noise = torch.logit(drawn) - energy
    assert noise.mean().item() == pytest.approx(0.0, abs=4 * 2 / 4000**0.5)
    assert noise.std().item() == pytest.approx(2.0, rel=0.05)
