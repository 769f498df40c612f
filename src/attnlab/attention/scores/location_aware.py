r"""Location-aware attention: the additive score also sees, through filters, where the last step looked.

$$f_i = F * a_{i-1}, \qquad e_{ij} = w^\top \tanh(W s_{i-1} + V h_j + U f_{ij} + b)$$

Paper: Chorowski et al. 2015, "Attention-based models for speech recognition", section 2.2, equations (8) and (9).
Cost: time O(B T (Q A + S k (A + r))) for k filters of width r, memory O(B T S (A + k)); the keys O(B S K A) once a
sentence.

The first step has looked nowhere yet: its a_{i-1} is zero.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.ranges import Width
from attnlab.types import ConfigError, History, Memory


class LocationAware(Score):
    """Additive score with a convolution of the last weights.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
        filters: k, rows of F.
        width: r, positions that a filter sees, half of them on either side.

    Raises:
        ConfigError: an even width, which has no middle.
    """

    needs_history = True

    def __init__(
        self, query_dim: int, key_dim: int, attention_dim: Width | None = None, filters: Width = 10, width: Width = 7
    ) -> None:
        super().__init__(query_dim, key_dim)
        if width % 2 == 0:
            raise ConfigError(f"attention.score.width must be odd, so that a filter has a middle; got {width}")
        attention_dim = attention_dim or query_dim
        self.W = nn.Linear(query_dim, attention_dim, bias=False)
        self.V = nn.Linear(key_dim, attention_dim)  # its bias is b
        self.U = nn.Linear(filters, attention_dim, bias=False)
        self.F = nn.Conv1d(1, filters, width, padding=width // 2, bias=False)
        self.w = nn.Linear(attention_dim, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S A"]:
        return self.V(states)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        f = self.F(history.previous.unsqueeze(1)).transpose(1, 2)  # [N, S, k]
        inside = self.W(query).unsqueeze(2) + memory.keys.unsqueeze(1) + self.U(f).unflatten(0, query.shape[:2])
        return self.w(torch.tanh(inside)).squeeze(-1)
