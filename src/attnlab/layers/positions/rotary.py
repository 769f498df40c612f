"""Rotary positions: queries and keys are turned by an angle that grows with the position.

    (q_{2i}, q_{2i+1}) at position t is turned by t theta_i, theta_i = 10000^{-2i/d}; the same for keys,

so that the product of a query at m and a key at n depends on m - n alone.
Su et al. 2021, "RoFormer: enhanced Transformer with rotary position embedding", equations (15) and (34).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.layers.positions.base import Position
from attnlab.layers.positions.sinusoidal import require_even, sinusoids


class Rotary(Position):
    """Turned queries and keys.

    Raises:
        ConfigError: an odd size of a head.
    """

    relative = needs_product = True

    def __init__(self, model_dim: int, heads: int, causal: bool) -> None:
        super().__init__(model_dim, heads, causal)
        require_even("rotary", self.head_dim)

    def rotate(self, heads: Float[Tensor, "N H T D"], start: int) -> Float[Tensor, "N H T D"]:
        angles = sinusoids(start, heads.size(2), self.head_dim, heads)  # sin and cos of t theta_i are its pairs
        sin, cos = angles[:, ::2], angles[:, 1::2]
        even, odd = heads[..., ::2], heads[..., 1::2]
        return torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)
