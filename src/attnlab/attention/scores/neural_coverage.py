r"""Coverage attention, neural: a small GRU keeps a vector for each word of what has been done about it.

$$C_{ij} = \mathrm{GRU}(C_{i-1,j}, [a_{ij}; h_j; s_{i-1}])$$
$$e_{ij} = v_a^\top \tanh(W_a s_{i-1} + U_a h_j + V_a C_{i-1,j})$$

Paper: Tu et al. 2016, "Modeling coverage for neural machine translation", section 3.1 (neural network based coverage)
and section 3.2.
Cost: time O(B T (Q (A + 3 d) + S d (A + 3 d))) for coverage vectors of size d, whose GRU has three gates, memory
O(B T S (A + 3 d)); the keys O(B S K (A + 3 d)) once a sentence.

The GRU is torch's, which resets the product, r * (U C + b), where the paper's resets the vector, U (r * C).

The coverage vectors are a part of the History, so a search reorders them with everything else.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.kernels.cells import gru_cell
from attnlab.ranges import Width
from attnlab.types import History, Memory


class NeuralCoverage(Score):
    """Additive score with neural coverage.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
        coverage_dim: d, the size of a coverage vector.
    """

    needs_history = True

    def __init__(
        self, query_dim: int, key_dim: int, attention_dim: Width | None = None, coverage_dim: Width = 10
    ) -> None:
        super().__init__(query_dim, key_dim)
        attention_dim = attention_dim or query_dim
        self.attention_dim, self.coverage_dim = attention_dim, coverage_dim
        self.W_a = nn.Linear(query_dim, attention_dim, bias=False)
        self.U_a = nn.Linear(key_dim, attention_dim, bias=False)
        self.V_a = nn.Linear(coverage_dim, attention_dim, bias=False)
        self.v_a = nn.Linear(attention_dim, 1, bias=False)
        self.gates_a = nn.Linear(1, 3 * coverage_dim, bias=False)  # the GRU's gates from weight, word, state and itself
        self.gates_h = nn.Linear(key_dim, 3 * coverage_dim)
        self.gates_s = nn.Linear(query_dim, 3 * coverage_dim, bias=False)
        self.gates_C = nn.Linear(coverage_dim, 3 * coverage_dim)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S K"]:
        return torch.cat([self.U_a(states), self.gates_h(states)], dim=-1)

    def initial_state(self, memory: Memory) -> Float[Tensor, "B S D"]:
        return memory.keys.new_zeros(*memory.mask.shape, self.coverage_dim)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        coverage = self.V_a(history.score).unflatten(0, query.shape[:2])
        inside = self.W_a(query).unsqueeze(2) + memory.keys[..., : self.attention_dim].unsqueeze(1) + coverage
        return self.v_a(torch.tanh(inside)).squeeze(-1)

    def next_state(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History, weights: Float[Tensor, "B T S"]
    ) -> Float[Tensor, "N S D"]:
        word, state = memory.keys[..., self.attention_dim :].unsqueeze(1), self.gates_s(query).unsqueeze(2)
        inputs = (self.gates_a(weights.unsqueeze(-1)) + word + state).flatten(0, 2)
        old = history.score.flatten(0, 1)
        return gru_cell(inputs, self.gates_C(old), old).view_as(history.score)
