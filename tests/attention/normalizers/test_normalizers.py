"""The sparse normalizers against the entmax package on each row's own words; the random ones against their laws."""

import math

import entmax
import pytest
import torch
from torch.nn import functional as F

from attnlab.attention.normalizers.entmax import Entmax
from attnlab.attention.normalizers.entmax15 import Entmax15
from attnlab.attention.normalizers.gumbel import Gumbel
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.sigmoid import Sigmoid
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.normalizers.sparsemax import Sparsemax
from attnlab.types import ConfigError

B, T, S = 3, 5, 7
LENGTHS = [7, 4, 1]
MASK = (torch.arange(S) < torch.tensor(LENGTHS)[:, None])[:, None]


def alpha_entmax(alpha):
    def build():
        normalizer = Entmax(alpha).double()
        normalizer.initialize()
        return normalizer

    return build, lambda row: entmax.entmax_bisect(row, torch.tensor(alpha, dtype=torch.float64), dim=-1)


CASES = {
    "sparsemax": (Sparsemax, lambda row: entmax.sparsemax(row, dim=-1)),
    "entmax15": (Entmax15, lambda row: entmax.entmax15(row, dim=-1)),
    "alpha 1.5 is entmax15": (alpha_entmax(1.5)[0], lambda row: entmax.entmax15(row, dim=-1)),
    "alpha 1.2": alpha_entmax(1.2),
    "alpha 1.9": alpha_entmax(1.9),
    "alpha near 1 is softmax": (alpha_entmax(1.0001)[0], lambda row: row.softmax(-1)),
    "alpha near 2 is sparsemax": (alpha_entmax(2 - 1e-7)[0], lambda row: entmax.sparsemax(row, dim=-1)),
}


@pytest.mark.parametrize("name", CASES)
def test_is_what_the_package_gives_for_the_words_of_each_row(name):
    build, package = CASES[name]
    scores = 2 * torch.randn(B, T, S, dtype=torch.float64)
    scores.requires_grad_()
    tolerance = {"atol": 1e-3 if "near 1" in name else 1e-6 if "near 2" in name else 1e-9, "rtol": 0}
    weights, probe = build()(scores, MASK), torch.randn(B, T, S).double()
    (got,) = torch.autograd.grad((weights * probe).sum(), scores)
    for row, length in enumerate(LENGTHS):
        words = scores[row, :, :length].detach().requires_grad_()
        expected = package(words)
        torch.testing.assert_close(weights[row, :, :length], expected, **tolerance)
        (slope,) = torch.autograd.grad((expected * probe[row, :, :length]).sum(), words)
        torch.testing.assert_close(got[row, :, :length], slope, atol=1e-2 if "near" in name else 1e-8, rtol=0)
    assert not got.masked_select(~MASK.expand_as(got)).any()


@pytest.mark.parametrize("window", ["all", "banded", "nothing"])
def test_sigmoid_with_the_bias_of_its_paper_against_a_loop(window):
    """a_ij = sigma(e_ij - ln n_i), n_i being the real words in the window of query i (Ramapuram et al. 2025)."""
    scores = torch.randn(B, T, S, dtype=torch.float64)
    near = (torch.arange(S) - torch.arange(T)[:, None]).abs() <= 1
    mask = {"all": MASK, "banded": MASK & near, "nothing": (MASK & near) & (torch.arange(T) != 2)[:, None]}[window]
    got = Sigmoid(bias="length")(scores, mask)
    for b in range(B):
        for t in range(T):
            row = mask.expand(B, T, S)[b, t].tolist()
            n = sum(row)
            expected = [
                1 / (1 + math.exp(-(scores[b, t, s].item() - math.log(n)))) if seen else 0.0
                for s, seen in enumerate(row)
            ]
            assert got[b, t].tolist() == pytest.approx(expected, rel=1e-12)
    equal = Sigmoid(bias="length")(torch.zeros(1, 1, 9), torch.ones(1, 1, 9, dtype=torch.bool))
    assert equal.sum().item() == pytest.approx(9 / (1 + 9)), "sigma(-ln n) is 1 / (1 + n)"
    assert torch.equal(Sigmoid()(scores, mask), scores.sigmoid().masked_fill(~mask, 0.0)), "nothing is added by default"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("build", [Sparsemax, Entmax15, alpha_entmax(1.5)[0]])
def test_half_precision_is_rounded_only_at_the_end(build, dtype):
    scores = (20 * torch.randn(B, T, 64)).to(dtype)
    mask = torch.ones(B, 1, 64, dtype=torch.bool)
    got = build()(scores, mask)
    assert got.dtype == dtype
    torch.testing.assert_close(got, build()(scores.double(), mask).to(dtype))


def test_alpha_is_learned_towards_what_the_data_want():
    """Targets made with alpha = 1.8: gradient descent on alpha alone finds it."""
    normalizer = alpha_entmax(1.3)[0]()
    scores, mask = torch.randn(8, 4, 10).double(), torch.ones(8, 1, 10, dtype=torch.bool)
    target = entmax.entmax_bisect(scores, torch.tensor(1.8, dtype=torch.float64), dim=-1)
    optimizer = torch.optim.Adam(normalizer.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        (normalizer(scores, mask) - target).square().sum().backward()
        optimizer.step()
    assert normalizer.alpha.item() == pytest.approx(1.8, abs=1e-2)


@pytest.mark.parametrize("build", [Gumbel, lambda: Gumbel(0.3), lambda: Sampled(expectation=0.0)])
def test_draws_follow_the_softmax(build):
    """The Gumbel-max trick, and the multinoulli: the frequency of a position is its softmax, whatever tau is."""
    draws = 20000
    scores, mask = torch.tensor([0.0, 1.0, 2.0, -1.0, 5.0]), torch.tensor([True, True, True, True, False])
    weights = build().train()(scores.expand(1, draws, 5), mask.expand(1, 1, 5))[0].round()
    assert torch.equal(weights.sum(-1), torch.ones(draws))
    expected = torch.tensor([*scores[:4].softmax(0), 0.0])
    deviation = (expected * (1 - expected) / draws).sqrt()
    assert ((weights.mean(0) - expected).abs() <= 4 * deviation).all()


def test_the_gumbel_gradient_is_that_of_the_relaxed_draw():
    """By its definition: y = softmax((e + g) / tau) with g = -ln(E), E exponential; argmax y forward, dy backward."""
    tau, probe = 0.7, torch.randn(B, T, S).double()
    scores = torch.randn(B, T, S).double().requires_grad_()
    torch.manual_seed(3)
    weights = Gumbel(tau).train()(scores, MASK)
    torch.manual_seed(3)
    g = -torch.empty(B, T, S).double().exponential_().log()
    y = ((scores + g) / tau).masked_fill(~MASK, float("-inf")).softmax(-1)
    torch.testing.assert_close(weights, F.one_hot(y.argmax(-1), S).double())
    slopes = [torch.autograd.grad((a * probe).sum(), scores)[0] for a in (weights, y)]
    torch.testing.assert_close(*slopes)


def test_the_temperature_divides_the_scores():
    scores = torch.randn(B, T, S)
    torch.testing.assert_close(Softmax(0.5)(scores, MASK), Softmax()(2 * scores, MASK))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Entmax(2.0), "softmax or sparsemax"),
        (lambda: Gumbel(0.0), "above 0"),
        (lambda: Softmax(-1.0), "above 0"),
        (lambda: Sampled(expectation=1.0), r"expectation must be in \[0, 1\)"),
        (lambda: Sampled(decay=-0.1), "decay"),
    ],
)
def test_settings_out_of_range_are_refused(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
