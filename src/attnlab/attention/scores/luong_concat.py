r"""Concat attention: a small network with one hidden layer on the concatenation of query and key.

$$e_{ts} = v_a^\top \tanh(W_a [h_t; h_s])$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1.
Cost: time O(B T A (Q + S)), memory O(B (T + S) A + B T S); the keys O(B S K A) once a sentence.

One matrix on the concatenation; it is applied in its two column blocks, W_a [h_t; h_s] = W_q h_t + W_k h_s, so that the
keys are projected once a sentence.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Score
from attnlab.kernels.additive import additive_scores
from attnlab.ranges import Width
from attnlab.types import History, Memory


class LuongConcat(Score):
    """Concat score.

    Args:
        query_dim, key_dim: sizes of h_t and h_s.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
    """

    def __init__(self, query_dim: int, key_dim: int, attention_dim: Width | None = None) -> None:
        super().__init__(query_dim, key_dim)
        attention_dim = attention_dim or query_dim
        self.W_a = nn.Linear(query_dim + key_dim, attention_dim, bias=False)
        self.v_a = nn.Linear(attention_dim, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S A"]:
        return F.linear(states, self.W_a.weight[:, self.query_dim :])

    def additive(self) -> tuple[Float[Tensor, "A Q"], Float[Tensor, " A"]]:
        return self.W_a.weight[:, : self.query_dim], self.v_a.weight[0]

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        W_q, v = self.additive()
        return additive_scores(F.linear(query, W_q), memory.keys, v)
