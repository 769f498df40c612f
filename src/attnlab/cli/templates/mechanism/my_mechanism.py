r"""My mechanism attention: the general score over the square root of the query's size.

$$e_{ts} = h_t^\top W_a h_s / \sqrt{Q}$$

Paper: none; Luong, Pham and Manning 2015, section 3.1, with the scale of Vaswani et al. 2017, equation (1).
Cost: time O(B T S Q), memory O(B T S); the keys O(B S K Q) once a sentence.
"""

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class MyMechanism(Score):
    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__(query_dim, key_dim)
        self.W_a = nn.Linear(key_dim, query_dim, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S Q"]:
        return self.W_a(states)  # once a sentence, never once a step

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return query @ memory.keys.transpose(1, 2) / self.query_dim**0.5
