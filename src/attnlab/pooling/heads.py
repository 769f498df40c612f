"""What the heads of a pooling look at."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.multi_head import Heads
from attnlab.types import Encoded


@torch.no_grad()
def by_head(attention: nn.Module, query: Float[Tensor, "B R Q"], encoded: Encoded) -> Tensor | None:
    """Weights ``[B, 1, H, R, S]``; None where there are no heads."""
    if not isinstance(attention, Heads):
        return None
    _, weights = attention.by_head(query, attention.memory(encoded))
    return weights.unsqueeze(1)
