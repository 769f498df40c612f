r"""Coverage attention, linguistic: the additive score also sees how much of a word has been translated already.

$$C_{ij} = \frac{1}{\Phi_j} \sum_{k \le i} a_{kj}, \qquad \Phi_j = N \, \sigma(U_f h_j)$$
$$e_{ij} = v_a^\top \tanh(W_a s_{i-1} + U_a h_j + V_a C_{i-1,j})$$

Paper: Tu et al. 2016, "Modeling coverage for neural machine translation", section 3.1 (linguistic coverage, with
fertility) and section 3.2.
Cost: time O(B T A (Q + S)), memory O(B T S A); the keys, fertilities with them, O(B S K A) once a sentence.

Phi_j is the fertility of word j: how many words it is expected to be translated to, at most N.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.ranges import Positive, Width
from attnlab.types import ConfigError, History, Memory


class Coverage(Score):
    """Additive score with linguistic coverage.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
        max_fertility: N.

    Raises:
        ConfigError: a fertility that is not positive.
    """

    needs_history = True

    def __init__(
        self, query_dim: int, key_dim: int, attention_dim: Width | None = None, max_fertility: Positive = 2.0
    ) -> None:
        super().__init__(query_dim, key_dim)
        if max_fertility <= 0:
            raise ConfigError(f"attention.score.max_fertility must be above 0, got {max_fertility}")
        attention_dim = attention_dim or query_dim
        self.max_fertility = max_fertility
        self.W_a = nn.Linear(query_dim, attention_dim, bias=False)
        self.U_a = nn.Linear(key_dim, attention_dim, bias=False)
        self.V_a = nn.Linear(1, attention_dim, bias=False)
        self.U_f = nn.Linear(key_dim, 1, bias=False)
        self.v_a = nn.Linear(attention_dim, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S K"]:
        fertility = self.max_fertility * torch.sigmoid(self.U_f(states))
        return torch.cat([self.U_a(states), fertility], dim=-1)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        keys, fertility = memory.keys[..., :-1].unsqueeze(1), memory.keys[..., -1].unsqueeze(1)
        coverage = history.total.unflatten(0, query.shape[:2]) / fertility  # [B, T, S]
        inside = self.W_a(query).unsqueeze(2) + keys + self.V_a(coverage.unsqueeze(-1))
        return self.v_a(torch.tanh(inside)).squeeze(-1)
