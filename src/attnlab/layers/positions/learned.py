"""A learned vector a position, added to the embedded words: x_t + P_t (Gehring et al. 2017, section 3.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.positions.base import Position
from attnlab.types import ConfigError


class Learned(Position):
    """A table of positions.

    Args:
        model_dim, heads, causal: see ``Position``.
        max_positions: rows of the table.
    """

    def __init__(self, model_dim: int, heads: int, causal: bool, max_positions: int = 1024) -> None:
        super().__init__(model_dim, heads, causal)
        self.table = nn.Embedding(max_positions, model_dim)

    def embed(self, words: Float[Tensor, "N T E"], start: int) -> Float[Tensor, "N T E"]:
        return words + rows(self.table, start, words.size(1))


def rows(table: nn.Embedding, start: int, count: int) -> Float[Tensor, "T E"]:
    """Rows start, start + 1, … of a table of positions.

    Raises:
        ConfigError: a position beyond its last row.
    """
    if start + count > table.num_embeddings:
        raise ConfigError(
            f"a sentence of {start + count} tokens came, and position=learned knows {table.num_embeddings} positions: "
            f"set position.max_positions to {start + count} or more, or data.max_length and search.max_length to less"
        )
    wanted: Tensor = table(torch.arange(start, start + count, device=table.weight.device))
    return wanted
