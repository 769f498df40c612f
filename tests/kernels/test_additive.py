"""Tiled additive scores against the equation with everything at once, and against a scalar loop."""

import math

import pytest
import torch
from kernel_references import additive_scores_reference

from attnlab.kernels import additive
from attnlab.kernels.additive import additive_scores


def operands(B, T, S, A, scale=1.0, dtype=torch.float64):
    shapes = (B, T, A), (B, S, A), (A,)
    return [(scale * torch.randn(*shape, dtype=dtype)).requires_grad_() for shape in shapes]


def test_scores_equal_a_scalar_loop():
    q, k, v = operands(2, 3, 4, 5)
    scores = additive_scores(q, k, v)
    for b, t, s in ((b, t, s) for b in range(2) for t in range(3) for s in range(4)):
        total = sum(v[a].item() * math.tanh(q[b, t, a].item() + k[b, s, a].item()) for a in range(5))
        assert scores[b, t, s].item() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("tile", [1, 30, 60, 10_000])  # part of a step; steps of a sentence; sentences; all
@pytest.mark.parametrize("scale", [1.0, 1000.0])  # 1000: the exponentials would overflow
@pytest.mark.parametrize("shape", [(3, 4, 5, 3), (3, 1, 5, 3), (1, 6, 1, 3)])
def test_scores_and_gradients_equal_the_reference(monkeypatch, tile, scale, shape):
    monkeypatch.setattr(additive, "TILE", tile)
    given = operands(*shape, scale=scale)
    fast, slow = additive_scores(*given), additive_scores_reference(*given)
    probe = torch.randn_like(slow)
    torch.testing.assert_close(fast, slow, atol=1e-9, rtol=1e-12)
    grads = [torch.autograd.grad(scores, given, probe) for scores in (fast, slow)]
    torch.testing.assert_close(*grads, atol=1e-9, rtol=1e-10)


def test_gradcheck():
    assert torch.autograd.gradcheck(additive_scores, operands(2, 3, 4, 2))


def test_single_precision_loses_no_more_than_the_reference():
    """Against float64, over arguments from the linear part of the tanh to where it saturates."""
    for scale in (1e-4, 1.0, 20.0):
        exact = operands(4, 8, 8, 64, scale)
        given = [operand.detach().float() for operand in exact]
        error, unavoidable = (
            (score(*given).double() - additive_scores_reference(*exact)).abs().max()
            for score in (additive_scores, additive_scores_reference)
        )
        assert error <= 2 * unavoidable + 64 * scale * torch.finfo(torch.float32).eps


def test_half_precision_is_computed_in_single():
    given = [operand.detach().bfloat16() for operand in operands(2, 3, 4, 16)]
    scores = additive_scores(*given)
    assert scores.dtype == torch.bfloat16
    single = additive_scores_reference(*(operand.float() for operand in given))
    torch.testing.assert_close(scores, single.bfloat16(), atol=0.02, rtol=0.01)


def test_no_tensor_of_all_pairs_exists(monkeypatch, largest_tensor):
    B, T, S, A = 3, 40, 30, 8
    monkeypatch.setattr(additive, "TILE", 4 * S * A)
    q, k, v = operands(B, T, S, A)
    with largest_tensor as largest:
        additive_scores(q, k, v).sum().backward()
    assert largest.numel <= max(4 * S * A, B * T * S, B * (T + S) * A)
    assert largest.numel < B * T * S * A / 4
