"""Perplexity against its definition."""

import math
import random
import sys
from fractions import Fraction

import pytest
import torch

from attnlab.metrics.perplexity import Perplexity, perplexity
from attnlab.types import DataError


def test_uniform_distribution_has_the_perplexity_of_its_size() -> None:
    metric = Perplexity()
    metric.update(torch.full((3, 7), math.log(50)), 21)
    assert metric.compute().item() == pytest.approx(50, rel=1e-6)


def test_equals_cross_entropy_over_all_tokens() -> None:
    torch.manual_seed(1)
    logits, target = torch.randn(40, 9, dtype=torch.float64), torch.randint(9, (40,))
    metric = Perplexity()
    for start, end in ((0, 3), (3, 30), (30, 40)):  # batches of unequal size: no mean of means
        nll = torch.nn.functional.cross_entropy(logits[start:end], target[start:end], reduction="none")
        metric.update(nll, torch.tensor(end - start))
    expected = torch.nn.functional.cross_entropy(logits, target)
    assert metric.compute().log().item() == pytest.approx(expected.item(), rel=1e-8)


def test_many_small_batches_lose_nothing() -> None:
    metric = Perplexity()
    for _ in range(3000):
        metric.update(torch.tensor([2.1, 2.3]), 2)
    assert metric.compute().item() == pytest.approx(math.exp(2.2), rel=1e-6)  # the inputs are float32


def test_survives_module_casts() -> None:
    module = torch.nn.ModuleDict({"perplexity": Perplexity()}).to(torch.bfloat16)
    metric = module["perplexity"]
    for _ in range(1000):
        metric.update(torch.tensor(3.0, dtype=torch.bfloat16), 1)
    assert metric.compute().item() == pytest.approx(math.exp(3), rel=1e-9)


@pytest.mark.parametrize("nats", [5e11, 5.6e11, 1e12, 3e18, 1e25, 1e300])
def test_sums_of_any_size(nats: float) -> None:
    """Fixed point in one int64 ended at 2^63 units of 2^-24 nats, with a perplexity of 0 or of 1: perfect."""
    metric = Perplexity()
    for _ in range(3):
        metric.update(torch.tensor(nats, dtype=torch.float64), 1)
    assert metric.mean() == float(sum([Fraction(nats)] * 3) / 3)
    assert metric.compute().item() == math.inf


def test_the_mean_is_finite_where_its_exponential_is_not() -> None:
    metric = Perplexity()
    metric.update(torch.tensor(720.0), 1)
    assert (metric.mean(), metric.compute().item()) == (720.0, math.inf)
    assert perplexity(709.0) == math.exp(709.0) < math.inf


def test_sums_are_exact_in_any_order_and_any_parts() -> None:
    """Against rational numbers, over the whole range of float64."""
    draw = random.Random(4)
    values = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-320, 306) for _ in range(200)]
    values += [5e-324, sys.float_info.max, -sys.float_info.max, 2.0**-24, 1e12, 1e-9]
    found = set()
    for parts in (1, 7, len(values)):
        draw.shuffle(values)
        metric = Perplexity()
        for part in range(parts):
            share = values[part::parts]
            metric.update(torch.tensor(share, dtype=torch.float64), len(share))
        found.add(metric.mean())
    assert found == {float(sum(map(Fraction, values)) / len(values))}


def test_a_nearly_perfect_model_is_not_a_perfect_one() -> None:
    metric = Perplexity()
    for _ in range(1000):
        metric.update(torch.tensor(2e-9, dtype=torch.float64), 10)
    assert metric.mean() == pytest.approx(2e-10, rel=1e-12)


def test_more_nats_than_the_tokens_allow() -> None:
    metric = Perplexity()
    metric.update(torch.tensor([sys.float_info.max] * 4, dtype=torch.float64), 1)
    assert metric.mean() == math.inf


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_broken_likelihoods_show(value: float) -> None:
    metric = Perplexity()
    metric.update(torch.tensor([1.0, value]), 2)
    metric.update(torch.tensor([1.0, 1.0]), 2)
    assert metric.compute().item() == pytest.approx(value, nan_ok=True)
    metric.reset()
    metric.update(torch.tensor(1.0), 1)
    assert metric.compute().item() == pytest.approx(math.e, rel=1e-7)


def test_gradients_are_not_kept() -> None:
    metric = Perplexity()
    metric.update(torch.tensor([1.0], requires_grad=True).exp(), 1)
    assert not metric.compute().requires_grad


def test_nothing_counted() -> None:
    metric = Perplexity()
    metric.update(torch.zeros(0), 0)
    with pytest.raises(DataError, match="perplexity of nothing"):
        metric.compute()
