r"""The coverage loss: a word that was looked at already should not be looked at again.

$$\mathrm{covloss}_t = \sum_j \min(a_{tj}, C_{tj}), \qquad C_t = \sum_{t' < t} a_{t'}$$

See, Liu and Manning 2017, "Get to the point: summarization with pointer-generator networks", section 2.3, equations
(10), (12) and (13). It needs no mechanism of its own: every one that draws an alignment can be trained with it.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def coverage_loss(weights: Float[Tensor, "B T S"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
    """The sum of covloss_t over the real target tokens."""
    weights = weights.to(torch.promote_types(weights.dtype, torch.float32))
    before = weights.cumsum(1) - weights
    return torch.minimum(weights, before).sum(-1).masked_select(mask).sum()
