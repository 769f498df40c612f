r"""The concat score as a well-known tutorial writes it: one shared matrix on the sum of query and key.

$$e_{ts} = v^\top \tanh(W (h_t + h_s))$$

Paper: none; G. Loye, "Attention mechanism" (FloydHub blog, 2019).
Cost: time O(B T Q (Q + S)), memory O(B (T + S) Q + B T S); the keys O(B S Q^2) once a sentence.

It is not the paper's W_a [h_t; h_s]: query and key share one projection, so they must have one size, and swapping them
changes nothing.
"""

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.attention.checks import require_equal_sizes
from attnlab.kernels.additive import additive_scores
from attnlab.types import History, Memory


class TutorialConcat(Score):
    """Shared-matrix concat score.

    Raises:
        ConfigError: queries and keys differ in size.
    """

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__(query_dim, key_dim)
        require_equal_sizes("tutorial_concat", query_dim, key_dim)
        self.W = nn.Linear(query_dim, query_dim, bias=False)
        self.v = nn.Linear(query_dim, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S Q"]:
        return self.W(states)

    def additive(self) -> tuple[Float[Tensor, "A Q"], Float[Tensor, " A"]]:
        return self.W.weight, self.v.weight[0]

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        # W (h_t + h_s) = W h_t + W h_s
        return additive_scores(self.W(query), memory.keys, self.v.weight[0])
