"""Control: the whole weight lies on the last real position, whatever the query."""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class Last(Score):
    """Score 0 at the last real position and minus infinity elsewhere."""

    reads_length = True

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        last = memory.mask.sum(1, keepdim=True) - 1
        scores = query.new_full(memory.mask.shape, float("-inf")).scatter(1, last, 0.0)
        return scores.unsqueeze(1).expand(-1, query.size(1), -1)
