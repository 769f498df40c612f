r"""Local attention, predictive: each step predicts where to look, and weighs the words around by a Gaussian.

$$p_t = S \, \sigma(v_p^\top \tanh(W_p h_t))$$
$$a_t(s) = \mathrm{align}(h_t, h_s) \exp\left(-\frac{(s - p_t)^2}{2 \sigma^2}\right), \quad s \in [p_t - D, p_t + D],
\quad \sigma = D / 2$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.2,
equations (9) and (10).
Cost: time O(B T (Q^2 + S)) and memory O(B T (Q + S)), besides the score's.

Positions count from 0 and S is the sentence's own length. As in the paper the products are not normalised again, so the
weights of a step sum to at most 1. The gradient reaches W_p and v_p through the Gaussian.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Normalizer, Window, WindowOutput
from attnlab.attention.row_sums import RowSum
from attnlab.attention.windows.local_m import require_reach
from attnlab.ranges import Width
from attnlab.types import History, Memory


class LocalP(Window):
    """A window around a predicted position.

    Args:
        query_dim, key_dim: sizes of h_t and of the annotations; the latter is not read.
        D: how far it reaches on either side.

    Raises:
        ConfigError: a D below 1.
    """

    def __init__(self, query_dim: int, key_dim: int, D: Width = 10) -> None:
        super().__init__(query_dim, key_dim)
        require_reach(D)
        self.D = D
        self.W_p = nn.Linear(query_dim, query_dim, bias=False)
        self.v_p = nn.Linear(query_dim, 1, bias=False)

    def row_sum(self, normalizer: RowSum) -> RowSum:
        return RowSum.AT_MOST_ONE if normalizer is RowSum.ONE else normalizer

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B T S"]:
        return (self.distance(query, memory).abs() <= self.D) & memory.mask.unsqueeze(1)

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        weights = super().weigh(scores, normalizer, query, memory, history).weights
        gaussian = torch.exp(-self.distance(query, memory).square() / (2 * (self.D / 2) ** 2))
        return WindowOutput(weights * gaussian.to(weights.dtype))

    def distance(self, query: Float[Tensor, "B T Q"], memory: Memory) -> Float[Tensor, "B T S"]:
        """s - p_t, in float32 at least: half precision cannot tell neighbours apart in a long sentence."""
        inside: Tensor = self.v_p(torch.tanh(self.W_p(query)))
        inside = inside.to(torch.promote_types(inside.dtype, torch.float32))
        p = memory.mask.sum(1)[:, None, None] * inside.sigmoid()
        return torch.arange(memory.mask.size(1), device=p.device) - p
