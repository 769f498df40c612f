"""Length and coverage penalties of Wu et al. 2016 (Google's neural machine translation system), eq. 14.

    s(Y, X)  = log P(Y|X) / lp(Y) + cp(X; Y)
    lp(Y)    = (5 + |Y|)^a / (5 + 1)^a
    cp(X; Y) = b * sum_i log(min(sum_j p_ij, 1))

with p_ij the attention of target token j on source token i, and |Y| the number of predicted tokens. EOS is a
predicted token: it counts in |Y|, in log P and in the sum over j.

Deviation: sum_j p_ij is raised to COVERAGE_FLOOR where it is less, since a source token that was never looked
at (local attention gives exact zeros) would make every hypothesis -inf.
"""

from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

COVERAGE_FLOOR = 1e-6

Lengths = TypeVar("Lengths", float, Tensor)


def length_penalty(length: Lengths, alpha: float) -> Lengths:
    """Give lp(Y) of ``length`` = |Y|: 1 for one token, and growing with the length where alpha > 0."""
    penalty: Lengths = ((5.0 + length) / 6.0) ** alpha
    return penalty


def coverage_penalty(covered: Float[Tensor, "B K S"], mask: Bool[Tensor, "B S"], beta: float) -> Float[Tensor, "B K"]:
    """Give cp(X; Y), at most 0, of ``covered`` = sum_j p_ij; padding is left out of the sum."""
    logs = covered.clamp(COVERAGE_FLOOR, 1.0).log()
    return beta * torch.where(mask[:, None, :], logs, 0.0).sum(-1)
