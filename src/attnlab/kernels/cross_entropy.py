"""Output layer and label-smoothed cross-entropy in one pass over chunks of tokens.

The [M, V] logits never exist at once: a chunk's logits are made, its loss and its gradients taken, and its memory
used again for the next chunk. The gradient is exact, not an approximation; since the loss is a sum, each chunk can
finish its own backward pass in the forward one.
"""

from collections.abc import Callable
from functools import partial
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


class LogitLoss(NamedTuple):
    """A loss of some rows of logits."""

    #: of logits and words; the gradient takes the place of the logits, what is returned are sums, the loss first
    take_: Callable[[Tensor, Tensor], Tensor]
    #: whether its sums are in float32 where the logits are in half precision
    reads_half: bool = False


class Gradients(NamedTuple):
    features: Tensor
    weight: Tensor
    bias: Tensor | None


def loss_and_gradients(
    features: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, loss: LogitLoss, rows: int
) -> tuple[Tensor, Gradients]:
    """The sums and the gradients of the first, ``rows`` rows at a time; products in the type of ``features``."""
    low_weight, low_bias = weight.to(features.dtype), None if bias is None else bias.to(features.dtype)
    sums = torch.zeros((), dtype=weight.dtype, device=features.device)
    found = Gradients(
        torch.empty_like(features), torch.zeros_like(weight), None if bias is None else torch.zeros_like(bias)
    )
    # Memory is taken once: fresh pages for every chunk would cost as much as the work on them.
    low = features.new_empty(min(rows, len(features)), len(weight))
    mixed = low.dtype != weight.dtype
    exact = torch.empty_like(low, dtype=weight.dtype) if mixed and not loss.reads_half else low
    share = torch.empty_like(low_weight) if mixed and not weight.is_cuda else low_weight
    for start in range(0, len(features), rows):
        x, gold = features[start : start + rows], target[start : start + rows, None]
        logits, grad = low[: len(x)], exact[: len(x)]
        torch.mm(x, low_weight.t(), out=logits)
        if low_bias is not None:
            logits.add_(low_bias)
        if exact is not low:
            grad.copy_(logits)
        sums = sums + loss.take_(grad, gold)
        if found.bias is not None:
            found.bias.add_(grad.sum(0, dtype=weight.dtype))
        if exact is not low:
            logits.copy_(grad)
        torch.mm(logits, low_weight, out=found.features[start : start + rows])
        if not mixed:
            found.weight.addmm_(logits.t(), x)
        elif weight.is_cuda:
            found.weight.add_(wide_mm(logits.t(), x, weight.dtype))
        else:
            found.weight.add_(torch.mm(logits.t(), x, out=share))
    return sums, found


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


class LinearLoss(Function):
    """The first of the sums of ``loss`` has a gradient, the others are told."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, loss: LogitLoss, rows: int
    ) -> tuple[Tensor, ...]:
        # Autocast does not reach into a Function: take the dtype that F.linear would have taken.
        kind = features.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else features.dtype
        ctx.save_for_backward(features, weight, bias, target)
        ctx.settings = dtype, loss, rows
        with torch.autocast(kind, enabled=False):
            sums, ctx.found = loss_and_gradients(features.to(dtype), weight, bias, target, loss, rows)
        first, *told = sums.reshape(-1).unbind()
        ctx.mark_non_differentiable(*told)
        return first, *told

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, target = ctx.saved_tensors
        # Handed out as they are, not copied: the weight's gradient is the largest tensor of the pass. Who asks again
        # (retain_graph) has them computed again.
        found, ctx.found = ctx.found, None
        if found is None:
            dtype, *settings = ctx.settings
            with torch.autocast(features.device.type, enabled=False):
                found = loss_and_gradients(features.to(dtype), weight, bias, target, *settings)[1]
        of_features = found.features.to(features.dtype).mul_(grad)
        of_bias = None if found.bias is None else found.bias.mul_(grad)
        return of_features, found.weight.mul_(grad), of_bias, None, None, None


def rows_at_once(weight: Tensor) -> int:
    """How many rows of logits a chunk has."""
    return max(64, (GPU_CHUNK if weight.is_cuda else CHUNK) // len(weight))


def linear_cross_entropy(
    features: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    target: Int[Tensor, " M"],
    smoothing: float = 0.0,
    rows: int | None = None,
) -> Float[Tensor, ""]:
    """See ``linear_cross_entropy_reference``; in nats, summed over tokens, ``rows`` of them at a time."""
    rows = rows or rows_at_once(weight)
    if not torch.is_grad_enabled():
        parts = [
            linear_cross_entropy_reference(f, weight, bias, t, smoothing)
            for f, t in zip(features.split(rows), target.split(rows), strict=True)
        ]
        return torch.stack(parts).sum()
    gpu = kernels("cross_entropy", weight)
    of_logits = LogitLoss(partial(gpu.softmax_loss_ if gpu else softmax_loss_, smoothing=smoothing), gpu is not None)
    loss: Tensor = LinearLoss.apply(features, weight, bias, target, of_logits, rows)[0]
    return loss
