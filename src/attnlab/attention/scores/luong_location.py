r"""Location attention: weights from the decoder's state alone.

$$a_t = \mathrm{softmax}(W_a h_t)$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1,
equation (8).
Cost: time O(B T P Q) for the P rows of W_a, memory O(B T (P + S)).

Their footnote: a sentence shorter than the rows of W_a uses the first of them; of a longer one, the words behind the
last row are not looked at.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Score
from attnlab.ranges import Width
from attnlab.types import History, Memory

# Weighs exactly nothing beside any row of W_a; finite, so that a window behind the last row still has weights.
BEHIND = -3e4


class LuongLocation(Score):
    """Location score.

    Args:
        query_dim, key_dim: sizes of h_t and h_s; the keys are not read.
        max_positions: rows of W_a.
    """

    reads_keys = False

    def __init__(self, query_dim: int, key_dim: int, max_positions: Width = 100) -> None:
        super().__init__(query_dim, key_dim)
        self.W_a = nn.Linear(query_dim, max_positions, bias=False)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        positions = memory.mask.size(1)
        scores = self.W_a(query)[..., :positions]
        return F.pad(scores, (0, positions - scores.size(-1)), value=BEHIND)
