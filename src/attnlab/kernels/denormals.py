"""Weights too small to count are zero.

A softmax gives every position some weight, 1e-30 say. Times a gradient that is a denormal number, which many processors
compute with a hundred times slower, and it spreads to the gradients of keys, values and so of the whole encoder.
Measured in training, within 60 steps, this is where denormals come from. A weight below 1e-18 of the largest cannot be
seen in a sum with it even in float64, so nothing is lost.
"""

import math

from jaxtyping import Float
from torch import Tensor

DEPTH = -math.log(1e-18)  # nats


def without_denormals(scores: Float[Tensor, "*N S"]) -> Float[Tensor, "*N S"]:
    """Scores for a softmax, minus infinity where the weight would be less than 1e-18 of the largest."""
    deep = scores < scores.detach().amax(-1, keepdim=True) - DEPTH
    return scores.masked_fill(deep, float("-inf"))
