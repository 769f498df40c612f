"""Positions beside the embedded words instead of added to them: W [x_t; p_t], projected back to the size of a word.

p_t are the sinusoids of Vaswani et al. 2017, section 3.5, or learned vectors. Adding is the special case in which W is
[I, I]; here words and positions have directions of their own.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.positions.base import Position
from attnlab.layers.positions.learned import STD, PositionTable
from attnlab.layers.positions.sinusoidal import require_even, sinusoids
from attnlab.ranges import Positive, Width


class Concatenated(Position):
    """W [x_t; p_t].

    Args:
        model_dim, heads, causal: see ``Position``.
        position_dim: size of p_t.
        kind: what p_t is.
        max_positions, std: of the table of ``learned``.

    Raises:
        ConfigError: an odd size of sinusoids.
    """

    def __init__(
        self,
        model_dim: int,
        heads: int,
        causal: bool,
        position_dim: Width = 64,
        kind: Literal["sinusoidal", "learned"] = "sinusoidal",
        max_positions: Width = 1024,
        std: Positive = STD,
    ) -> None:
        super().__init__(model_dim, heads, causal)
        self.position_dim = position_dim
        self.table = PositionTable(max_positions, position_dim, std) if kind == "learned" else None
        if self.table is None:
            require_even("concatenated", position_dim)
        else:
            self.longest = max_positions
        self.W = nn.Linear(model_dim + position_dim, model_dim, bias=False)

    def embed(self, words: Float[Tensor, "N T E"], start: int) -> Float[Tensor, "N T E"]:
        count = words.size(1)
        if self.table is None:
            told = sinusoids(start, count, self.position_dim, words)
        else:
            told = self.table.rows(start, count)
        joined: Tensor = self.W(torch.cat([words, told.expand(words.size(0), -1, -1)], dim=-1))
        return joined
