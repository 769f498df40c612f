"""A learned vector a position, added to the embedded words: x_t + P_t (Gehring et al. 2017, section 3.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.positions.base import Position
from attnlab.ranges import Positive, Width
from attnlab.types import ConfigError

STD = 0.5


class PositionTable(nn.Module):
    """A learned vector a position.

    Args:
        positions: how many it knows.
        size: of a vector.
        std: the vectors start from N(0, std^2), whatever the model's initialisation: one that looks at the shape of a
            matrix would have the number of positions, most of them never used, decide how loud a position is.
            Sinusoids have a root mean square of 0.71.

    Raises:
        ConfigError: a std that is not positive.
    """

    def __init__(self, positions: int, size: int, std: float) -> None:
        super().__init__()
        if std <= 0:
            raise ConfigError(f"position.std must be above 0, got {std}")
        self.std = std
        self.weight = nn.Parameter(torch.empty(positions, size))
        self.initialize()

    def initialize(self) -> None:
        """Draw all vectors."""
        nn.init.normal_(self.weight, std=self.std)

    def rows(self, start: int, count: int) -> Float[Tensor, "T E"]:
        """Those of positions start, start + 1, …

        Raises:
            ConfigError: a position beyond the last one.
        """
        if start + count > len(self.weight):
            raise ConfigError(
                f"a sentence of {start + count} tokens came, and the learned positions end at {len(self.weight)}: "
                f"set position.max_positions={start + count} or more"
            )
        return self.weight[start : start + count]


class Learned(Position):
    """A table of positions.

    Args:
        model_dim, heads, causal: see ``Position``.
        max_positions: rows of the table.
        std: see ``PositionTable``.
    """

    def __init__(
        self, model_dim: int, heads: int, causal: bool, max_positions: Width = 1024, std: Positive = STD
    ) -> None:
        super().__init__(model_dim, heads, causal)
        self.table = PositionTable(max_positions, model_dim, std)
        self.longest = max_positions

    def embed(self, words: Float[Tensor, "N T E"], start: int) -> Float[Tensor, "N T E"]:
        return words + self.table.rows(start, words.size(1))
