r"""Products of two experts over a vocabulary, one of each target step and one of each source word, and their mixture.

$$p_{ij}(v) = \frac{1}{Z_{ij}} \exp(W_v^\top u_i + b_v + W_v^\top g_j), \qquad
Z_{ij} = \sum_v e^{W_v^\top u_i + b_v} \, e^{W_v^\top g_j}, \qquad p_i(v) = \sum_j a_{ij} p_{ij}(v)$$

All Z of a sentence are one product of matrices, (T, V) @ (V, S), and so is the mixture, (T, S) @ (S, V): nothing of
size T S V is ever made. Rows are scaled by their peaks first, so a sum loses only what is below e^-87 of two peaks'
product.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Experts(NamedTuple):
    """Unnormalised distributions over the vocabulary: exps * e^peak."""

    exps: Float[Tensor, "B N V"]
    peak: Float[Tensor, "B N"]  #: without gradient, which the exps have

    @classmethod
    def of(cls, logits: Float[Tensor, "B N V"]) -> "Experts":
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        peak = wide.detach().amax(-1)
        return cls((wide - peak.unsqueeze(-1)).exp(), peak)


def log_partition(target: Experts, source: Experts) -> Float[Tensor, "B T S"]:
    """ln Z of every pair of experts."""
    sums = target.exps @ source.exps.transpose(1, 2)  # (B, T, V) @ (B, V, S) -> (B, T, S)
    return _log(sums) + target.peak.unsqueeze(2) + source.peak.unsqueeze(1)


def linear_log_partition(
    u: Float[Tensor, "B T R"], g: Float[Tensor, "B S R"], weight: Float[Tensor, "V R"], bias: Float[Tensor, " V"]
) -> Float[Tensor, "B T S"]:
    """ln Z from the features of both experts; one node of autograd, which keeps their exps and no logits."""
    return LinearLogPartition.apply(u, g, weight, bias)  # type: ignore[no-any-return, no-untyped-call]


class LinearLogPartition(Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, g: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        exps, peaks = [], []
        for features, more in ((u, bias), (g, None)):
            logits = F.linear(features, weight, more)
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
            peaks.append(logits.amax(-1))
            exps.append(logits.sub_(peaks[-1].unsqueeze(-1)).exp_())
        sums = exps[0] @ exps[1].transpose(1, 2)
        ctx.save_for_backward(u, g, weight, bias, *exps, sums)
        return _log(sums) + peaks[0].unsqueeze(2) + peaks[1].unsqueeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        u, g, weight, bias, of_u, of_g, sums = ctx.saved_tensors
        shares = grad / sums.clamp(min=torch.finfo(sums.dtype).tiny)
        to_u = (shares @ of_g).mul_(of_u).to(u.dtype).flatten(0, 1)  # the gradients of the logits
        to_g = (shares.transpose(1, 2) @ of_u).mul_(of_g).to(g.dtype).flatten(0, 1)
        to_weight = torch.addmm(to_u.T @ u.flatten(0, 1), to_g.T, g.flatten(0, 1))
        return (to_u @ weight).view_as(u), (to_g @ weight).view_as(g), to_weight, to_u.sum(0).to(bias.dtype)


def log_mixture(
    logits: Float[Tensor, "B T V"], source: Experts, log_weights: Float[Tensor, "B T S"]
) -> Float[Tensor, "B T V"]:
    """ln p of every word of the vocabulary.

    Args:
        logits: of the target's experts.
        source: the experts of the source words.
        log_weights: ln a - ln Z.
    """
    shifted = log_weights + source.peak.unsqueeze(1)
    top = shifted.detach().amax(-1, keepdim=True)
    mixed = (shifted - top).exp() @ source.exps  # (B, T, S) @ (B, S, V) -> (B, T, V)
    return _log(mixed) + top + logits


def _log(sums: Tensor) -> Tensor:
    return sums.clamp(min=torch.finfo(sums.dtype).tiny).log()
