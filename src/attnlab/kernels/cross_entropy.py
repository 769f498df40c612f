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

CHUNK = 1 << 23  # logits in a chunk: 32 MB in float32


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
    buffer = features.new_empty(min(rows, len(features)), len(weight))
    for start in range(0, len(features), rows):
        x, gold = features[start : start + rows], target[start : start + rows, None]
        logits = torch.mm(x, low_weight.t(), out=buffer[: len(x)])
        logits = (logits if low_bias is None else logits.add_(low_bias)).to(weight.dtype)
        part, grad = softmax_loss_(logits, gold, smoothing)
        loss += part
        low = grad.to(x.dtype)
        found.features[start : start + rows] = low @ low_weight
        if low.dtype == weight.dtype:
            found.weight.addmm_(low.t(), x)
        else:
            found.weight.add_(low.t() @ x)
        if found.bias is not None:
            found.bias.add_(grad.sum(0))
    return loss, found


def softmax_loss_(logits: Tensor, gold: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """The summed loss of some tokens, and its gradient in the memory of the logits: p - smoothed one-hot."""
    top = logits.amax(1, keepdim=True)
    fit = (1 - smoothing) * logits.gather(1, gold)
    if smoothing:
        fit = fit + smoothing * logits.mean(1, keepdim=True)
    total = logits.sub_(top).exp_().sum(1, keepdim=True)
    loss = (total.log() + top - fit).sum()
    grad = logits.div_(total)
    if smoothing:
        grad.sub_(smoothing / grad.size(1))
    return loss, grad.scatter_add_(1, gold, torch.full_like(gold, smoothing - 1.0, dtype=grad.dtype))


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
    rows = rows or max(64, CHUNK // len(weight))
    if not torch.is_grad_enabled():
        parts = [
            linear_cross_entropy_reference(f, weight, bias, t, smoothing)
            for f, t in zip(features.split(rows), target.split(rows), strict=True)
        ]
        return torch.stack(parts).sum()
    loss: Tensor = LinearCrossEntropy.apply(features, weight, bias, target, smoothing, rows)
    return loss
