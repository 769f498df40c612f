"""Output layer and label-smoothed cross-entropy in one pass over chunks of tokens.

The [M, V] logits never exist at once: a chunk's logits are made, its loss and its gradients taken, and its memory
used again for the next chunk. The gradient is exact, not an approximation; since the loss is a sum, each chunk can
finish its own backward pass in the forward one.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from attnlab.kernels.gpu import kernels
from attnlab.kernels.products import wide_mm

CHUNK = 1 << 22  # logits in a chunk: 17 MB in float32
GPU_CHUNK = 1 << 25  # a GPU wants more at once


def linear_cross_entropy_reference(
    features: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    target: Int[Tensor, " M"],
    smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """The sum over tokens of (1 - eps) (-log p_y) + eps/V sum_v (-log p_v), with all logits at once."""
    return F.cross_entropy(F.linear(features, weight, bias), target, reduction="sum", label_smoothing=smoothing)


class Gradients(NamedTuple):
    features: Tensor
    weight: Tensor
    bias: Tensor | None


def loss_and_gradients(
    features: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, smoothing: float, rows: int
) -> tuple[Tensor, Gradients]:
    """The summed loss and its gradients, ``rows`` tokens at a time; products in the type of ``features``."""
    low_weight, low_bias = weight.to(features.dtype), None if bias is None else bias.to(features.dtype)
    loss = torch.zeros((), dtype=weight.dtype, device=features.device)
    found = Gradients(
        torch.empty_like(features), torch.zeros_like(weight), None if bias is None else torch.zeros_like(bias)
    )
    # Memory is taken once: fresh pages for every chunk would cost as much as the work on them.
    low = features.new_empty(min(rows, len(features)), len(weight))
    mixed = low.dtype != weight.dtype
    gpu = kernels("cross_entropy", weight)  # sums in float32 whatever the logits are
    exact = torch.empty_like(low, dtype=weight.dtype) if mixed and gpu is None else low
    share = torch.empty_like(low_weight) if mixed and gpu is None else low_weight
    for start in range(0, len(features), rows):
        x, gold = features[start : start + rows], target[start : start + rows, None]
        logits, grad = low[: len(x)], exact[: len(x)]
        torch.mm(x, low_weight.t(), out=logits)
        if low_bias is not None:
            logits.add_(low_bias)
        if exact is not low:
            grad.copy_(logits)
        loss += softmax_loss_(grad, gold, smoothing) if gpu is None else gpu.softmax_loss_(grad, gold, smoothing)
        if found.bias is not None:
            found.bias.add_(grad.sum(0, dtype=weight.dtype))
        if exact is not low:
            logits.copy_(grad)
        torch.mm(logits, low_weight, out=found.features[start : start + rows])
        if mixed:
            found.weight.add_(wide_mm(logits.t(), x, weight.dtype) if gpu else torch.mm(logits.t(), x, out=share))
        else:
            found.weight.addmm_(logits.t(), x)
    return loss, found


def softmax_loss_(logits: Tensor, gold: Tensor, smoothing: float) -> Tensor:
    """The summed loss of some tokens; its gradient, p - smoothed one-hot, takes the place of the logits."""
    top = logits.amax(1, keepdim=True)
    fit = (1 - smoothing) * logits.gather(1, gold)
    if smoothing:
        fit = fit + smoothing * logits.mean(1, keepdim=True)
    total = logits.sub_(top).exp_().sum(1, keepdim=True)
    loss = (total.log() + top - fit).sum()
    grad = logits.div_(total)
    if smoothing:
        grad.sub_(smoothing / grad.size(1))
    grad.scatter_add_(1, gold, torch.full_like(gold, smoothing - 1.0, dtype=grad.dtype))
    return loss


class LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, smoothing: float, rows: int
    ) -> Tensor:
        # Autocast does not reach into a Function: take the dtype that F.linear would have taken.
        kind = features.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else features.dtype
        ctx.save_for_backward(features, weight, bias, target)
        ctx.settings = dtype, smoothing, rows
        with torch.autocast(kind, enabled=False):
            loss, ctx.found = loss_and_gradients(features.to(dtype), weight, bias, target, smoothing, rows)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, target = ctx.saved_tensors
        # Handed out as they are, not copied: the weight's gradient is the largest tensor of the pass. Who asks again
        # (retain_graph) has them computed again.
        found, ctx.found = ctx.found, None
        if found is None:
            dtype, *settings = ctx.settings
            with torch.autocast(features.device.type, enabled=False):
                _, found = loss_and_gradients(features.to(dtype), weight, bias, target, *settings)
        of_features = found.features.to(features.dtype).mul_(grad)
        of_bias = None if found.bias is None else found.bias.mul_(grad)
        return of_features, found.weight.mul_(grad), of_bias, None, None, None


def linear_cross_entropy(
    features: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    target: Int[Tensor, " M"],
    smoothing: float = 0.0,
    rows: int | None = None,
) -> Float[Tensor, ""]:
    """See ``linear_cross_entropy_reference``; in nats, summed over tokens, ``rows`` of them at a time."""
    rows = rows or max(64, (GPU_CHUNK if weight.is_cuda else CHUNK) // len(weight))
    if not torch.is_grad_enabled():
        parts = [
            linear_cross_entropy_reference(f, weight, bias, t, smoothing)
            for f, t in zip(features.split(rows), target.split(rows), strict=True)
        ]
        return torch.stack(parts).sum()
    loss: Tensor = LinearCrossEntropy.apply(features, weight, bias, target, smoothing, rows)
    return loss
