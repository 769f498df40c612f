"""The GPU kernels against the plain equations; Triton's interpreter runs them where there is no GPU (see conftest)."""

import importlib

import pytest
import torch
from kernel_references import additive_scores_reference

pytest.importorskip("triton")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SHAPES = [(2, 5, 7, 12, 10), (1, 17, 33, 40, 20), (3, 1, 1, 32, 16)]


@pytest.fixture(scope="module")
def kernels():
    return importlib.import_module("attnlab.kernels.gpu.additive")


def operands(B, T, S, A, V):
    shapes = (B, T, A), (B, S, A), (A,), (B, S, V)
    mask = torch.arange(S, device=DEVICE) < torch.randint(1, S + 1, (B, 1), device=DEVICE)
    return [torch.randn(shape, device=DEVICE, requires_grad=True) for shape in shapes], mask


def attention(q, k, v, values, mask, scale):
    scores = scale * additive_scores_reference(q, k, v)
    weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1)
    return weights @ values, weights


@pytest.mark.parametrize("many", [0, 1024])
@pytest.mark.parametrize("shape", SHAPES)
def test_scores(kernels, shape, many, monkeypatch):
    monkeypatch.setattr(kernels, "MANY", many)  # small tiles for few programs, and large ones
    (*given, _), _ = operands(*shape)
    fast, slow = kernels.AdditiveScores.apply(*given), additive_scores_reference(*given)
    torch.testing.assert_close(fast, slow, atol=2e-5, rtol=1e-5)
    probe = torch.randn_like(slow)
    grads = [torch.autograd.grad(scores, given, probe) for scores in (fast, slow)]
    torch.testing.assert_close(*grads, atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # numpy's, in the interpreter
@pytest.mark.parametrize("size", [1, 8, 12, 40])
def test_numbers_whose_exponentials_do_not_fit(kernels, size):
    """q + k may be small where e^{2q} is none of float32's numbers; a tanh near 1 or -1 where it is."""
    q, k, v, _ = (operand.detach() for operand in operands(2, 18, 35, 7, 4)[0])
    shift = size * torch.randn(7, device=DEVICE)
    given = [(q + shift).requires_grad_(), (k - shift).requires_grad_(), v.requires_grad_()]
    fast, slow = kernels.AdditiveScores.apply(*given), additive_scores_reference(*given)
    torch.testing.assert_close(fast, slow, atol=5e-5, rtol=1e-5)
    probe = torch.randn_like(slow)
    grads = [torch.autograd.grad(scores, given, probe) for scores in (fast, slow)]
    torch.testing.assert_close(*grads, atol=5e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pass(kernels, shape):
    given, mask = operands(*shape)
    context = kernels.attended(*(operand.detach() for operand in given), mask, 0.7)
    torch.testing.assert_close(context, attention(*given, mask, 0.7)[0].detach(), atol=2e-5, rtol=1e-5)


def test_half_precision_is_summed_in_single(kernels):
    given, mask = operands(2, 5, 40, 64, 16)
    low = [operand.detach().bfloat16() for operand in given]
    context = kernels.attended(*low, mask, 1.0)
    assert context.dtype == torch.bfloat16
    expected, _ = attention(*(operand.float() for operand in low), mask, 1.0)
    torch.testing.assert_close(context.float(), expected, atol=0.02, rtol=0.01)
    scores = kernels.AdditiveScores.apply(*low[:3])
    assert scores.dtype == torch.bfloat16
    exact = additive_scores_reference(*(operand.float() for operand in low[:3]))
    torch.testing.assert_close(scores.float(), exact, atol=0.02, rtol=0.01)
