r"""Output layer and R-Drop's loss: two passes with different dropout shall say the same.

$$L = \tfrac12 (L_1 + L_2) + \tfrac{\alpha}{4} \left[ \mathrm{KL}(p_1 \| p_2) + \mathrm{KL}(p_2 \| p_1) \right]$$

half of equation (4) of Liang et al. 2021, "R-Drop: regularized dropout for neural networks", with the cross-entropies
L_1 and L_2 of the two passes and their distributions p_1 and p_2 of every target word; half, to be of the size of
one pass's loss. ``two_passes`` is of logits, ``linear_two_passes`` makes them chunk by chunk, see ``cross_entropy``.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from attnlab.kernels.cross_entropy import LinearLoss, LogitLoss, rows_at_once


class TwoPasses(NamedTuple):
    """Sums over target words; the objective has a gradient, its parts need not have one."""

    objective: Float[Tensor, ""]  #: cross_entropy + alpha / 2 * divergence
    cross_entropy: Float[Tensor, ""]  #: the mean of both passes
    divergence: Float[Tensor, ""]  #: the mean of both directions


def two_passes(
    first: Float[Tensor, "M V"], second: Float[Tensor, "M V"], gold: Int[Tensor, " M"], smoothing: float, alpha: float
) -> TwoPasses:
    """What two passes are trained by.

    Args:
        first: logits of the one pass.
        second: of the other.
        gold: the words.
        smoothing: of the cross-entropy's labels.
        alpha: see above.
    """
    wide = torch.promote_types(first.dtype, torch.float32)
    p, q = (logits.to(wide).log_softmax(-1) for logits in (first, second))
    losses = [F.cross_entropy(each, gold, reduction="sum", label_smoothing=smoothing) for each in (p, q)]
    both = ((p.exp() - q.exp()) * (p - q)).sum()  # KL(p || q) + KL(q || p)
    cross_entropy, divergence = (losses[0] + losses[1]) / 2, both / 2
    return TwoPasses(cross_entropy + alpha / 2 * divergence, cross_entropy, divergence)


def linear_two_passes(
    first: Float[Tensor, "M R"],
    second: Float[Tensor, "M R"],
    weight: Float[Tensor, "V R"],
    bias: Float[Tensor, " V"] | None,
    gold: Int[Tensor, " M"],
    smoothing: float,
    alpha: float,
    rows: int | None = None,
) -> TwoPasses:
    """``two_passes`` of what an output layer makes of features, ``rows`` words at a time."""
    rows = rows or max(1, rows_at_once(weight) // 4)  # two passes, and as much scratch again
    of_logits = LogitLoss(_PairLoss(smoothing, alpha / 2).take_)
    pairs = torch.stack((first, second), 1).flatten(0, 1)  # both passes of a word in a row
    return TwoPasses(*LinearLoss.apply(pairs, weight, bias, gold.repeat_interleave(2), of_logits, 2 * rows))


class _PairLoss:
    """R-Drop's loss of logits whose rows are pairs: of a word in the one pass, and in the other.

    Args:
        smoothing: of the cross-entropy's labels.
        weight: of the divergence.
    """

    def __init__(self, smoothing: float, weight: float) -> None:
        self.smoothing, self.weight = smoothing, weight
        self._scratch: tuple[Tensor, Tensor] | None = None

    def take_(self, logits: Tensor, gold: Tensor) -> Tensor:
        """Objective, cross-entropy and divergence; gold words are there twice, too."""
        words = logits.size(1)
        if self._scratch is None:  # the first chunk is the largest
            self._scratch = torch.empty_like(logits), torch.empty_like(logits[::2])
        log_probs = torch.log_softmax(logits, 1, out=logits)
        cross_entropy = -(1 - self.smoothing) * log_probs.gather(1, gold).sum()
        if self.smoothing:
            cross_entropy = cross_entropy - self.smoothing / words * log_probs.sum()
        probs = torch.exp(log_probs, out=self._scratch[0][: len(logits)])
        (log_p, log_q), (p, q) = log_probs.view(-1, 2, words).unbind(1), probs.view(-1, 2, words).unbind(1)
        apart = torch.sub(log_p, log_q, out=self._scratch[1][: len(log_p)])
        # With s = KL(p || q) + KL(q || p) = sum (p - q) (log p - log q) the gradient by the logits of p is
        # p (log p - log q - KL(p || q) + 1) - q, that by those of q the same with p and q exchanged.
        torch.mul(p, apart, out=log_p)
        torch.mul(q, apart, out=log_q)
        p_q, q_p = log_p.sum(1, keepdim=True), -log_q.sum(1, keepdim=True)
        share = self.weight / 2
        log_p.mul_(share).addcmul_(p, 0.5 + share * (1 - p_q)).sub_(q, alpha=share)
        log_q.mul_(-share).addcmul_(q, 0.5 + share * (1 - q_p)).sub_(p, alpha=share)
        if self.smoothing:
            logits.sub_(self.smoothing / 2 / words)
        logits.scatter_add_(1, gold, torch.full_like(gold, (self.smoothing - 1) / 2, dtype=logits.dtype))
        cross_entropy, divergence = cross_entropy / 2, (p_q + q_p).sum() / 2
        return torch.stack((cross_entropy + self.weight * divergence, cross_entropy, divergence))
