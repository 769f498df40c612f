r"""Global attention: all real tokens may be looked at, at every step.

$$j \in \{1, \dots, |x|\}$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1.
Cost: time and memory of the score.
"""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Window
from attnlab.types import History, Memory


class All(Window):
    """Every real token, at every step."""

    reads_length = False

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B 1 S"]:
        return memory.mask.unsqueeze(1)
