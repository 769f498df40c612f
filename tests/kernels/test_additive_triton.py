"""The GPU kernels against the plain equations; Triton's interpreter runs them where there is no GPU (see conftest)."""

import importlib

import pytest
import torch

from attnlab.kernels.additive import additive_scores_reference

pytest.importorskip("triton")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SHAPES = [(2, 5, 7, 12, 10), (1, 17, 33, 40, 20), (3, 1, 1, 32, 16)]


@pytest.fixture(scope="module")
def kernels():
    return importlib.import_module("attnlab.kernels.additive_triton")


def operands(B, T, S, A, V):
    shapes = (B, T, A), (B, S, A), (A,), (B, S, V)
    mask = torch.arange(S, device=DEVICE) < torch.randint(1, S + 1, (B, 1), device=DEVICE)
    return [torch.randn(shape, device=DEVICE, requires_grad=True) for shape in shapes], mask


def attention(q, k, v, values, mask, scale):
    scores = scale * additive_scores_reference(q, k, v)
    weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1)
    return weights @ values, weights


@pytest.mark.parametrize("shape", SHAPES)
def test_scores(kernels, shape):
    (*given, _), _ = operands(*shape)
    fast, slow = kernels.AdditiveScores.apply(*given), additive_scores_reference(*given)
    torch.testing.assert_close(fast, slow, atol=2e-5, rtol=1e-5)
    probe = torch.randn_like(slow)
    grads = [torch.autograd.grad(scores, given, probe) for scores in (fast, slow)]
    torch.testing.assert_close(*grads, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("read", [("context",), ("weights",), ("context", "weights")])
@pytest.mark.parametrize("shape", SHAPES)
def test_attention(kernels, shape, read):
    given, mask = operands(*shape)
    fast = kernels.additive_attention(*given, mask, 0.7)
    slow = attention(*given, mask, 0.7)
    torch.testing.assert_close(fast, slow, atol=2e-5, rtol=1e-5)
    assert fast[1].masked_select(~mask[:, None]).eq(0).all()
    probes = [torch.randn_like(part) for part in slow]
    used = [index for index, name in enumerate(("context", "weights")) if name in read]
    grads = [
        torch.autograd.grad(
            sum((out[i] * probes[i]).sum() for i in used), given, allow_unused=True, materialize_grads=True
        )
        for out in (fast, slow)
    ]
    torch.testing.assert_close(*grads, atol=1e-4, rtol=1e-4)


def test_no_scores_are_kept_where_nobody_asks(kernels, monkeypatch):
    given, mask = operands(2, 5, 7, 12, 10)
    asked = []
    plain = kernels._run_forward
    monkeypatch.setattr(kernels, "_run_forward", lambda *a, **k: asked.append(plain(*a, **k)) or asked[-1])
    with torch.no_grad():
        context, weights = kernels.additive_attention(*given, mask, weights=False)
    assert weights is None
    assert asked[0][0].numel() == 0
    torch.testing.assert_close(context, attention(*given, mask, 1.0)[0], atol=2e-5, rtol=1e-5)


def test_half_precision_is_summed_in_single(kernels):
    given, mask = operands(2, 5, 40, 64, 16)
    low = [operand.detach().bfloat16() for operand in given]
    context, weights = kernels.additive_attention(*low, mask)
    expected = attention(*(operand.float() for operand in low), mask, 1.0)
    torch.testing.assert_close((context.float(), weights.float()), expected, atol=0.02, rtol=0.01)
