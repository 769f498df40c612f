r"""Sparsemax: the scores projected to the nearest distribution, most of which is exactly zero.

$$a_i = \operatorname*{arg\,min}_{p \in \Delta} \lVert p - e_i \rVert^2$$

Paper: Martins and Astudillo 2016, "From softmax to sparsemax", equation (2); computed by the entmax package.
Cost: time O(B T S log S), memory O(B T S).
"""

from collections.abc import Callable

import torch
from entmax import sparsemax
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer


class Sparsemax(Normalizer):
    """Euclidean projection onto the simplex Delta."""

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        return projected(scores, mask, sparsemax)


def projected(
    scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"], mapping: Callable[[Tensor], Tensor]
) -> Float[Tensor, "B T S"]:
    """Apply a mapping of the entmax package inside the window; in float32 at least, since it sorts and sums up."""
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return mapping(wide.masked_fill(~mask, float("-inf"))).to(scores.dtype)
