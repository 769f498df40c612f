"""Attention with linear biases: e_ij -= m_h |j - i|, a slope a head.

Press, Smith and Lewis 2022, "Train short, test long", section 3: slopes 2^{-8/n}, 2^{-16/n}, …, 2^{-8} for n heads, n a
power of two; else, as in the authors' code, those of the next lower power and every other one of twice that power. The
paper has causal attention; an encoder looks both ways and pays the same for either. Nothing is learned.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.layers.positions.base import Position, offsets


class Alibi(Position):
    """Linear biases."""

    relative = True

    def bias(self, query: Float[Tensor, "N H T D"], source: int, scale: float) -> Float[Tensor, "1 H T S"]:
        slope = torch.tensor(slopes(self.heads), dtype=query.dtype, device=query.device)
        distance = offsets(query.size(2), source, query.device).abs()
        return (-slope[:, None, None] * distance).unsqueeze(0)


def slopes(heads: int) -> list[float]:
    """One for each head, steepest first within a power of two."""
    power = 1 << (heads.bit_length() - 1)
    own = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return own + [2 ** (-8 * (i + 1) / (2 * power)) for i in range(0, 2 * (heads - power), 2)]
