r"""Hard attention, straight through: the whole weight on the best position, the gradient that of the softmax.

$$a_i = \mathrm{onehot}\left(\operatorname*{arg\,max}_j e_{ij}\right), \qquad
\frac{\partial a_i}{\partial e_i} := \frac{\partial \, \mathrm{softmax}(e_i)}{\partial e_i}$$

Paper: Bengio, Léonard and Courville 2013, "Estimating or propagating gradients through stochastic neurons", section 4
(the straight-through estimator).
Cost: time and memory O(B T S).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer


class HardSt(Normalizer):
    """Argmax forward, softmax backward; the first of equals."""

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        soft = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        return one_hot(soft.argmax(-1), soft) - soft.detach() + soft


def one_hot(chosen: Tensor, like: Float[Tensor, "B T S"]) -> Float[Tensor, "B T S"]:
    return torch.zeros_like(like).scatter_(-1, chosen.unsqueeze(-1), 1.0)
