"""Perplexity against its definition."""

import math

import pytest
import torch

from attnlab.metrics.perplexity import Perplexity
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
