"""Global attention: all real tokens may be looked at (Luong, Pham and Manning 2015, section 3.1)."""

from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Window
from attnlab.types import History, Memory


class All(Window):
    """Every real token, at every step."""

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B 1 S"]:
        return memory.mask.unsqueeze(1)
