r"""Sigmoid: every position is looked at or not, whatever the others are.

$$a_{ij} = \sigma(e_{ij} + b_i), \qquad b_i = 0 \; \text{or} \; -\ln n_i$$

Paper: Ramapuram et al. 2025, "Theory, analysis, and best practices for sigmoid self-attention", equation (2); the bias
-ln n, n being the length, is what they recommend.
Cost: time and memory O(B T S).

The weights of a query are no distribution: they sum to anything from 0 to the number of words. n_i is the number of
words that query i may look at; with the bias -ln n_i and scores around 0 the weights begin with a sum around 1, as
under softmax, instead of n_i / 2. Monotonic windows read the weights as the probability to stop at a word; they learn
an offset of their own.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.attention.row_sums import RowSum


class Sigmoid(Normalizer):
    """Elementwise sigmoid.

    Args:
        bias: ``length`` adds -ln n_i to the scores of query i; None adds nothing.
    """

    row_sum = RowSum.NOT_NEGATIVE

    def __init__(self, bias: Literal["length"] | None = None) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        if self.bias == "length":
            visible = mask.sum(-1, keepdim=True).clamp(min=1)  # a query may have a window without a word
            wide = torch.promote_types(scores.dtype, torch.float32)
            scores = scores - visible.to(wide).log().to(scores.dtype)
        return scores.sigmoid().masked_fill(~mask, 0.0)
