r"""Control: the whole weight lies on the last real position, whatever the query.

$$a_{ij} = [j = |x|]$$

Paper: none; a control: the encoder's last state, as in Sutskever et al. 2014, but at every step.
Cost: time O(B T S V) for the context, memory O(B T S); no parameters.
"""

from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Attention, Score
from attnlab.attention.row_sums import RowSum
from attnlab.attention.windows.all import All
from attnlab.types import ConfigError, History, Memory


class Last(Score):
    """Score 0 at the last real position and minus infinity elsewhere.

    Raises:
        ConfigError: a window or a normalizer that may look elsewhere.
    """

    def check(self, attention: Attention) -> None:
        if not (isinstance(attention.window, All) and attention.normalizer.row_sum is RowSum.ONE):
            raise ConfigError(
                f"attention=last always looks at the last word, which {type(attention.window).__name__} with "
                f"{type(attention.normalizer).__name__} cannot promise. Set attention/window=all and "
                "attention/normalizer=softmax, or take attention=uniform"
            )

    reads_query = reads_keys = False
    reads_length = True

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        last = memory.mask.sum(1, keepdim=True) - 1
        scores = query.new_full(memory.mask.shape, float("-inf")).scatter(1, last, 0.0)
        return scores.unsqueeze(1).expand(-1, query.size(1), -1)
