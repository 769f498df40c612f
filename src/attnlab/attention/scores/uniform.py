r"""Control: every real position weighs the same, whatever the query. The context is the mean annotation.

$$a_{ij} = \frac{1}{|x|}$$

Paper: none; a control.
Cost: time O(B T S V) for the context, memory O(B T S); no parameters.
"""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class Uniform(Score):
    """Equal scores; under softmax, equal weights over the real tokens."""

    reads_query = reads_keys = False

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        batch, source = memory.mask.shape
        return query.new_zeros(batch, query.size(1), source)
