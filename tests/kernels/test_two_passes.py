"""R-Drop's loss: of logits against loops over numbers, chunk by chunk against that of all logits at once."""

import pytest
import torch
from torch import nn

from attnlab.kernels.two_passes import linear_two_passes, two_passes


def test_it_equals_loops_over_numbers():
    first, second = (torch.randn(3, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    gold, smoothing = torch.tensor([4, 0, 2]), 0.1
    losses, divergence = [0.0, 0.0], 0.0
    for row in range(3):
        p, q = first[row].softmax(0), second[row].softmax(0)
        for place, each in enumerate((p, q)):
            losses[place] = losses[place] - (1 - smoothing) * each[gold[row]].log()
            losses[place] = losses[place] - sum(each[word].log() for word in range(5)) * smoothing / 5
        for word in range(5):
            divergence = divergence + p[word] * (p[word] / q[word]).log() + q[word] * (q[word] / p[word]).log()
    found = two_passes(first, second, gold, smoothing, 3.0)
    torch.testing.assert_close(found.cross_entropy, (losses[0] + losses[1]) / 2)
    torch.testing.assert_close(found.divergence, divergence / 2)
    objective = (losses[0] + losses[1]) / 2 + 3 / 4 * divergence
    torch.testing.assert_close(found.objective, objective)
    expected = torch.autograd.grad(objective, [first, second])
    torch.testing.assert_close(torch.autograd.grad(found.objective, [first, second]), expected)


def test_two_equal_passes_are_one():
    logits, gold = torch.randn(4, 6), torch.tensor([1, 2, 3, 0])
    found = two_passes(logits, logits, gold, 0.0, 2.0)
    torch.testing.assert_close(found.cross_entropy, nn.functional.cross_entropy(logits, gold, reduction="sum"))
    assert found.divergence.item() == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("rows", [1, 4, 100])
@pytest.mark.parametrize("with_bias", [True, False])
def test_chunks_are_as_all_at_once(smoothing, rows, with_bias):
    first, second = (torch.randn(11, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    weight = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(7, dtype=torch.float64, requires_grad=True) if with_bias else None
    gold = torch.randint(7, (11,))
    inputs = [part for part in (first, second, weight, bias) if part is not None]
    fast = linear_two_passes(first, second, weight, bias, gold, smoothing, 3.0, rows)
    logits = [nn.functional.linear(features, weight, bias) for features in (first, second)]
    slow = two_passes(*logits, gold, smoothing, 3.0)
    torch.testing.assert_close(tuple(fast), tuple(slow), atol=1e-12, rtol=1e-12)
    got, expected = (torch.autograd.grad(3 * found.objective, inputs) for found in (fast, slow))
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=1e-12)


def test_under_autocast_it_is_as_close_as_half_precision_allows():
    first, second, weight = (torch.randn(rows, 16, requires_grad=True) for rows in (64, 64, 50))
    gold = torch.randint(50, (64,))
    exact = two_passes(first @ weight.T, second @ weight.T, gold, 0.1, 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        low = linear_two_passes(first, second, weight, None, gold, 0.1, 1.0)
    torch.testing.assert_close(tuple(low), tuple(exact), rtol=1e-2, atol=0)
    low_grad, grad = (torch.autograd.grad(found.objective, weight)[0] for found in (low, exact))
    assert (low_grad - grad).norm() < 0.02 * grad.norm()


def test_parts_are_told_and_have_no_gradient():
    first, second, weight = (torch.randn(rows, 3, requires_grad=True) for rows in (4, 4, 6))
    found = linear_two_passes(first, second, weight, None, torch.randint(6, (4,)), 0.0, 1.0)
    assert found.objective.requires_grad
    assert not found.cross_entropy.requires_grad
    assert not found.divergence.requires_grad


def test_the_logits_never_exist_at_once(largest_tensor):
    tokens, words = 640, 500
    first, second, weight = (torch.randn(rows, 8, requires_grad=True) for rows in (tokens, tokens, words))
    gold = torch.randint(words, (tokens,))
    with largest_tensor as largest:
        linear_two_passes(first, second, weight, None, gold, 0.0, 1.0, rows=32).objective.backward()
    assert largest.numel <= 64 * words
