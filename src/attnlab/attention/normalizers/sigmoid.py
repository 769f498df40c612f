r"""Sigmoid: every position is looked at or not, whatever the others are.

$$a_{ij} = \sigma(e_{ij})$$

Paper: Ramapuram et al. 2025, "Theory, analysis, and best practices for sigmoid self-attention", equation (2).
Cost: time and memory O(B T S).

The weights of a query are no distribution: they sum to anything from 0 to the number of words. Monotonic windows read
them as the probability to stop at a word.
"""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.attention.row_sums import RowSum


class Sigmoid(Normalizer):
    """Elementwise sigmoid."""

    row_sum = RowSum.NOT_NEGATIVE

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        return scores.sigmoid().masked_fill(~mask, 0.0)
