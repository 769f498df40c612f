r"""Additive attention: the score of a small network with one hidden layer.

$$e_{ij} = v_a^\top \tanh(W_a s_{i-1} + U_a h_j)$$

Paper: Bahdanau, Cho and Bengio 2015, "Neural machine translation by jointly learning to align and translate", section
3.1 and appendix A.1.2.
Cost: time O(B T A (Q + S)), memory O(B (T + S) A + B T S); the keys O(B S K A) once a sentence.

Which decoder state is the query is the decoder's matter (its placement).
"""

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.kernels.additive import additive_scores
from attnlab.ranges import Width
from attnlab.types import History, Memory


class Bahdanau(Score):
    """Additive score.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
    """

    def __init__(self, query_dim: int, key_dim: int, attention_dim: Width | None = None) -> None:
        super().__init__(query_dim, key_dim)
        attention_dim = attention_dim or query_dim
        self.W_a = nn.Linear(query_dim, attention_dim, bias=False)
        self.U_a = nn.Linear(key_dim, attention_dim, bias=False)
        self.v_a = nn.Linear(attention_dim, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S A"]:
        return self.U_a(states)

    def additive(self) -> tuple[Float[Tensor, "A Q"], Float[Tensor, " A"]]:
        return self.W_a.weight, self.v_a.weight[0]

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return additive_scores(self.W_a(query), memory.keys, self.v_a.weight[0])
