r"""Local attention, monotonic: step t looks at the words around position t.

$$p_t = t, \qquad a_t = \mathrm{align}(h_t, h_s) \text{ over } s \in [p_t - D, p_t + D]$$

Paper: Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.2,
equation (7).
Cost: time and memory of the score; the window itself O(B T S).

Positions and steps count from 0. Where the translation is longer than the sentence, p_t stays at its last word, so that
there is always something to look at.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.base import Window
from attnlab.ranges import Width
from attnlab.types import ConfigError, History, Memory


class LocalM(Window):
    """A window that moves on by one word a step.

    Args:
        query_dim, key_dim: sizes of queries and annotations; neither is read.
        D: how far it reaches on either side.

    Raises:
        ConfigError: a D below 1.
    """

    needs_history = counts_only = True
    reads_length = False  # but behind the sentence, where no word of the sentence itself stands

    def __init__(self, query_dim: int, key_dim: int, D: Width = 10) -> None:
        super().__init__(query_dim, key_dim)
        require_reach(D)
        self.D = D

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B T S"]:
        assert history is not None  # needs_history
        last = memory.mask.sum(1, keepdim=True) - 1
        p = torch.minimum(history.step.unflatten(0, query.shape[:2]), last)
        s = torch.arange(memory.mask.size(1), device=p.device)
        return ((s - p.unsqueeze(-1)).abs() <= self.D) & memory.mask.unsqueeze(1)


def require_reach(D: int) -> None:
    if D < 1:
        raise ConfigError(f"attention.window.D must be at least 1, got {D}: a window has to hold a word")
