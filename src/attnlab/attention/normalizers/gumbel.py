r"""Gumbel-softmax, straight through: a position drawn from the softmax, the gradient that of a relaxed draw.

$$y_i = \mathrm{softmax}\left(\frac{e_i + g_i}{\tau}\right), \quad g_{ij} \sim \mathrm{Gumbel}(0, 1), \qquad
a_i = \mathrm{onehot}\left(\operatorname*{arg\,max}_j y_{ij}\right), \qquad
\frac{\partial a_i}{\partial e_i} := \frac{\partial y_i}{\partial e_i}$$

Paper: Jang, Gu and Poole 2017, "Categorical reparameterization with Gumbel-softmax", equation (2) and section 2.2.
Cost: time and memory O(B T S).

That is training; evaluation and search draw nothing and look at the most probable position.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.attention.base import Normalizer
from attnlab.attention.normalizers.hard_st import one_hot
from attnlab.ranges import Positive
from attnlab.types import ConfigError


class Gumbel(Normalizer):
    """Straight-through Gumbel-softmax.

    Args:
        tau: temperature of the relaxed draw; smaller ones have less biased and more variable gradients.

    Raises:
        ConfigError: a temperature that is not positive.
    """

    def __init__(self, tau: Positive = 1.0) -> None:
        super().__init__()
        if tau <= 0:
            raise ConfigError(f"attention.normalizer.tau must be above 0, got {tau}")
        self.tau = tau

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        inside = scores.masked_fill(~mask, float("-inf"))
        if self.training:  # half precision has too few uniform numbers near 0 to draw from
            wide = inside.to(torch.promote_types(inside.dtype, torch.float32))
            return F.gumbel_softmax(wide, tau=self.tau, hard=True).to(scores.dtype)
        return one_hot(inside.argmax(-1), inside)
