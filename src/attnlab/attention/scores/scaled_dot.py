r"""Scaled dot attention: the dot score, divided so that its variance does not grow with the size.

$$e_{ij} = \frac{q_i^\top k_j}{\sqrt{d}}$$

Paper: Vaswani et al. 2017, "Attention is all you need", section 3.2.1, equation (1).
Cost: time O(B T S Q), memory O(B T S); no parameters.

d is the size of queries and keys. Their projections are multi-head attention's, not the score's.
"""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.attention.checks import require_equal_sizes
from attnlab.types import History, Memory


class ScaledDot(Score):
    """Scaled dot score.

    Raises:
        ConfigError: queries and keys differ in size.
    """

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__(query_dim, key_dim)
        require_equal_sizes("scaled_dot", query_dim, key_dim)
        self.product_scale = query_dim**-0.5

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return (query / self.query_dim**0.5) @ memory.keys.transpose(1, 2)
