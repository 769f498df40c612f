"""General attention: score(h_t, h_s) = h_t^T W_a h_s.

Luong, Pham and Manning 2015, section 3.1. The product W_a h_s is the key, made once a sentence.
"""

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class LuongGeneral(Score):
    """Bilinear score."""

    product_scale = 1.0

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__(query_dim, key_dim)
        self.W_a = nn.Linear(key_dim, query_dim, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S Q"]:
        return self.W_a(states)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return query @ memory.keys.transpose(1, 2)
