"""Control: every real position weighs the same, a_ij = 1 / |x|. The context is the mean annotation."""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class Uniform(Score):
    """Equal scores; under softmax, equal weights over the real tokens."""

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        batch, source = memory.mask.shape
        return query.new_zeros(batch, query.size(1), source)
