"""A learned number a head and bucket of distances, added to the scores.

    e_ij += b_{h, bucket(j - i)}

Raffel et al. 2020, "Exploring the limits of transfer learning with a unified text-to-text Transformer", section 2.1:
half of the buckets are single distances, the others grow logarithmically up to ``max_distance``, beyond which all share
the last. The numbers are shared by all layers. (T5 leaves 1 / sqrt(d) out of its score: self_attention=luong_dot.)
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnlab.layers.positions.base import Position, offsets
from attnlab.ranges import Width, ZeroOrMore
from attnlab.types import ConfigError


class T5(Position):
    """Bucketed biases.

    Args:
        model_dim, heads, causal: see ``Position``; a decoder's buckets are all of the past, an encoder's half of each.
        buckets: how many.
        max_distance: from here on all distances share the last bucket.

    Raises:
        ConfigError: too few buckets, or a distance within the buckets that stand alone.
    """

    relative = True

    def __init__(
        self, model_dim: int, heads: int, causal: bool, buckets: Width = 32, max_distance: ZeroOrMore = 128
    ) -> None:
        super().__init__(model_dim, heads, causal)
        single = buckets // (2 if causal else 4)
        if buckets < 4 or buckets % 4 or max_distance <= single:
            raise ConfigError(
                f"position=t5 needs buckets divisible by 4 and max_distance above {single} (the distances that have a "
                f"bucket each), got buckets={buckets} and max_distance={max_distance}"
            )
        self.buckets, self.max_distance = buckets, max_distance
        self.b = nn.Embedding(buckets, heads)

    def bias(self, query: Float[Tensor, "N H T D"], source: int, scale: float) -> Float[Tensor, "1 H T S"]:
        distance = offsets(query.size(2), source, query.device)
        biases: Tensor = self.b(bucket(distance, not self.causal, self.buckets, self.max_distance))
        return biases.permute(2, 0, 1).unsqueeze(0)


def bucket(distance: Int[Tensor, "T S"], both_sides: bool, buckets: int, max_distance: int) -> Int[Tensor, "T S"]:
    """The bucket of each j - i."""
    first = torch.zeros_like(distance)
    if both_sides:
        buckets //= 2
        first = (distance > 0).long() * buckets
        back = distance.abs()
    else:
        back = -distance.clamp(max=0)
    single = buckets // 2
    growth = torch.log(back.clamp(min=1).float() / single) / math.log(max_distance / single) * (buckets - single)
    far = (single + growth.long()).clamp(max=buckets - 1)
    return first + torch.where(back < single, back, far)
