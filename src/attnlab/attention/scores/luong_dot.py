r"""Dot attention: query and key compared as they are.

$$e_{ts} = h_t^\top h_s$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1.
Cost: time O(B T S Q), memory O(B T S); no parameters.
"""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.attention.checks import require_equal_sizes
from attnlab.types import History, Memory


class LuongDot(Score):
    """Dot score.

    Raises:
        ConfigError: queries and keys differ in size.
    """

    product_scale = 1.0

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__(query_dim, key_dim)
        require_equal_sizes("luong_dot", query_dim, key_dim)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return query @ memory.keys.transpose(1, 2)
