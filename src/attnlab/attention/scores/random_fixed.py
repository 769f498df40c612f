r"""Control: attention at random, drawn once and never trained.

$$e_{ij} = R_{ij}, \qquad R_{ij} \sim \mathcal{N}(0, \sigma^2) \text{ drawn from a seed}$$

Paper: Tay et al. 2021, "Synthesizer: rethinking self-attention for Transformer models", section 3 (random, fixed).
Cost: time O(B T S V) for the context, memory O(B T S); no parameters.

The weights depend on the positions alone; step ``positions`` sees what step 0 saw, and likewise for the words.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Score
from attnlab.ranges import Positive, Seed, Width
from attnlab.types import History, Memory


class RandomFixed(Score):
    """Random scores.

    Args:
        query_dim, key_dim: sizes of queries and annotations; neither is read.
        seed: of the draw.
        scale: sigma; larger values look at fewer words.
        positions: rows and columns of R.
    """

    needs_history = counts_only = True
    R: Tensor

    reads_query = reads_keys = False

    def __init__(
        self, query_dim: int, key_dim: int, seed: Seed = 1, scale: Positive = 2.0, positions: Width = 128
    ) -> None:
        super().__init__(query_dim, key_dim)
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("R", scale * torch.randn(positions, positions, generator=generator))

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        size, words = len(self.R), memory.mask.size(1)
        columns = torch.arange(words, device=query.device) % size
        return self.R[history.step % size][:, columns].to(query.dtype).unflatten(0, query.shape[:2])
