r"""General attention: a bilinear form of query and key.

$$e_{ts} = h_t^\top W_a h_s$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1.
Cost: time O(B T S Q), memory O(B T S); the keys O(B S K Q) once a sentence.

The product W_a h_s is the key, made once a sentence.
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
