"""Output layer and label-smoothed cross-entropy in one pass over chunks of tokens.

The [M, V] logits never exist at once: a chunk's logits are made, its loss and its gradients taken, and its memory
used again for the next chunk. The gradient is exact, not an approximation; since the loss is a sum, each chunk can
finish its own backward pass in the forward one.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

CHUNK = 1024  # tokens; at V = 32,000 a chunk of float32 logits is 131 MB


def linear_cross_entropy_reference(
    features: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    target: Int[Tensor, " M"],
    smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """The sum over tokens of (1 - eps) (-log p_y) + eps/V sum_v (-log p_v), with all logits at once."""
    return F.cross_entropy(F.linear(features, weight, bias), target, reduction="sum", label_smoothing=smoothing)


class LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        target: Tensor,
        smoothing: float,
        chunk: int,
    ) -> Tensor:
        # Autocast does not reach into a Function: take the dtype that F.linear would have taken.
        kind = features.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else features.dtype
        low_weight, low_bias = weight.to(dtype), None if bias is None else bias.to(dtype)
        loss = torch.zeros((), dtype=weight.dtype, device=features.device)
        grad_features = torch.empty_like(features)
        grad_weight = torch.zeros_like(weight)
        grad_bias = None if bias is None else torch.zeros_like(bias)
        for start in range(0, features.size(0), chunk):
            rows = slice(start, start + chunk)
            low_features, gold = features[rows].to(dtype), target[rows, None]
            log_probs = F.log_softmax(F.linear(low_features, low_weight, low_bias).to(weight.dtype), dim=-1)
            loss -= (1 - smoothing) * log_probs.gather(1, gold).sum()
            if smoothing:
                loss -= smoothing * log_probs.mean(-1).sum()
            grad = log_probs.exp_()  # d loss / d logits = p - smoothed one-hot
            if smoothing:
                grad -= smoothing / grad.size(-1)
            grad.scatter_add_(1, gold, torch.full_like(gold, smoothing - 1.0, dtype=grad.dtype))
            low_grad = grad.to(dtype)
            grad_features[rows] = (low_grad @ low_weight).to(features.dtype)
            if dtype == weight.dtype:
                grad_weight.addmm_(low_grad.T, low_features)
            else:
                grad_weight += low_grad.T @ low_features
            if grad_bias is not None:
                grad_bias += grad.sum(0)
        ctx.save_for_backward(grad_features, grad_weight, grad_bias)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_features, grad_weight, grad_bias = ctx.saved_tensors
        return (
            grad_features * grad.to(grad_features.dtype),
            grad_weight * grad,
            None if grad_bias is None else grad_bias * grad,
            None,
            None,
            None,
        )


def linear_cross_entropy(
    features: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    target: Int[Tensor, " M"],
    smoothing: float = 0.0,
    chunk: int = CHUNK,
) -> Float[Tensor, ""]:
    """See ``linear_cross_entropy_reference``; in nats, summed over tokens."""
    if not torch.is_grad_enabled():
        parts = [
            linear_cross_entropy_reference(f, weight, bias, t, smoothing)
            for f, t in zip(features.split(chunk), target.split(chunk), strict=True)
        ]
        return torch.stack(parts).sum()
    loss: Tensor = LinearCrossEntropy.apply(features, weight, bias, target, smoothing, chunk)
    return loss
