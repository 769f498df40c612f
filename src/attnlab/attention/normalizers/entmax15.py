r"""1.5-entmax: half way between softmax and sparsemax; smooth where it is not zero.

$$a_{ij} = \left[ e_{ij} / 2 - \tau_i \right]_+^2, \quad \tau_i \text{ such that } \sum_j a_{ij} = 1$$

Paper: Peters, Niculae and Martins 2019, "Sparse sequence-to-sequence models", section 3.1 and algorithm 2; computed by
the entmax package.
Cost: time O(B T S log S), memory O(B T S).
"""

from entmax import entmax15
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Normalizer
from attnlab.attention.normalizers.sparsemax import projected


class Entmax15(Normalizer):
    """alpha-entmax with alpha = 1.5."""

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        return projected(scores, mask, lambda inside: entmax15(inside, dim=-1))
