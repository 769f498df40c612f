"""Tables of vectors a relative distance."""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.types import ConfigError


def distance_table(heads: int, max_distance: int, size: int) -> Float[Tensor, "H K D"]:
    """Small random vectors for the distances -k … k.

    Raises:
        ConfigError: a negative k.
    """
    if max_distance < 0:
        raise ConfigError(f"position.max_distance must be 0 or more, got {max_distance}")
    return torch.randn(heads, 2 * max_distance + 1, size) * size**-0.5
