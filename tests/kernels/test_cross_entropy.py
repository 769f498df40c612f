"""The chunked output layer and loss against torch's, all logits at once."""

import pytest
import torch

from attnlab.kernels.cross_entropy import linear_cross_entropy, linear_cross_entropy_reference


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [1, 4, 100])
@pytest.mark.parametrize("with_bias", [True, False])
def test_loss_and_gradients(smoothing, chunk, with_bias):
    features = torch.randn(11, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(7, dtype=torch.float64, requires_grad=True) if with_bias else None
    target = torch.randint(7, (11,))
    inputs = [part for part in (features, weight, bias) if part is not None]
    fast = linear_cross_entropy(features, weight, bias, target, smoothing, chunk)
    slow = linear_cross_entropy_reference(features, weight, bias, target, smoothing)
    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(
        torch.autograd.grad(3 * fast, inputs), torch.autograd.grad(3 * slow, inputs), atol=1e-12, rtol=1e-12
    )
    with torch.no_grad():
        torch.testing.assert_close(linear_cross_entropy(features, weight, bias, target, smoothing, chunk), slow)


def test_under_autocast_it_is_as_close_as_half_precision_allows():
    features, weight = torch.randn(64, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    target = torch.randint(50, (64,))
    exact = linear_cross_entropy_reference(features, weight, None, target, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        low = linear_cross_entropy(features, weight, None, target, 0.1)
    torch.testing.assert_close(low, exact, rtol=1e-2, atol=0)
    low_grad, grad = torch.autograd.grad(low, weight)[0], torch.autograd.grad(exact, weight)[0]
    assert (low_grad - grad).norm() < 0.02 * grad.norm()


def test_a_second_backward_pass_gives_the_same():
    features, weight = torch.randn(9, 4, requires_grad=True), torch.randn(7, 4, requires_grad=True)
    loss = linear_cross_entropy(features, weight, None, torch.randint(7, (9,)))
    first = [grad.clone() for grad in torch.autograd.grad(2 * loss, (features, weight), retain_graph=True)]
    torch.testing.assert_close(first, list(torch.autograd.grad(2 * loss, (features, weight))))


def test_far_apart_logits_neither_overflow_nor_lose_the_loss():
    """One logit 1,000 above the gold one: the loss is 1,000 nats to the last digit, its gradient the one-hots."""
    features = torch.tensor([[1000.0, 0.0]], requires_grad=True)
    loss = linear_cross_entropy(features, torch.eye(2, requires_grad=True), None, torch.tensor([1]))
    assert loss.item() == 1000.0
    assert torch.autograd.grad(loss, features)[0].tolist() == [[1.0, -1.0]]


def test_the_logits_never_exist_at_once(largest_tensor):
    tokens, words = 640, 500
    features, weight = torch.randn(tokens, 8, requires_grad=True), torch.randn(words, 8, requires_grad=True)
    with largest_tensor as largest:
        linear_cross_entropy(features, weight, None, torch.randint(words, (tokens,)), rows=64).backward()
    assert largest.numel <= 64 * words
