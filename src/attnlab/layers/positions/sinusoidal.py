"""Sinusoids added to the embedded words: p_{t,2i} = sin(t / 10000^{2i/d}), p_{t,2i+1} = cos(t / 10000^{2i/d}).

Vaswani et al. 2017, "Attention is all you need", section 3.5.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.layers.positions.base import Position
from attnlab.types import ConfigError


class Sinusoidal(Position):
    """x_t + p_t; any position has one.

    Raises:
        ConfigError: an odd size.
    """

    def __init__(self, model_dim: int, heads: int, causal: bool) -> None:
        super().__init__(model_dim, heads, causal)
        require_even("sinusoidal", model_dim)

    def embed(self, words: Float[Tensor, "N T E"], start: int) -> Float[Tensor, "N T E"]:
        return words + sinusoids(start, words.size(1), self.model_dim, words)


def sinusoids(start: int, count: int, size: int, like: Tensor) -> Float[Tensor, "T E"]:
    """p of ``count`` positions from ``start`` on, computed in float64 whatever the type wanted."""
    t = torch.arange(start, start + count, dtype=torch.float64, device=like.device)[:, None]
    rates = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64, device=like.device) / size)
    return torch.stack([torch.sin(t * rates), torch.cos(t * rates)], dim=-1).flatten(1).to(like.dtype)


def require_even(name: str, size: int) -> None:
    """Raise ConfigError for a size that cannot be filled by pairs."""
    if size % 2:
        raise ConfigError(f"position={name} fills its size by pairs of sine and cosine, and {size} is odd")
