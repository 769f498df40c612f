r"""Cosine attention: content addressing by the angle between query and key, with a learned sharpness.

$$e_{ij} = \beta \, \frac{q_i^\top k_j}{\lVert q_i \rVert \, \lVert k_j \rVert}, \qquad \beta = \ln(1 + e^{b})$$

Paper: Graves, Wayne and Danihelka 2014, "Neural Turing machines", section 3.3.1, equations (5) and (6).
Cost: time O(B T S Q), memory O(B T S).

The paper's controller gives out a key strength at every step and asks for it to be positive; here one number is learned
for all steps, and the softplus of b keeps it positive. Vectors shorter than 1e-6 count as that long.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Score
from attnlab.attention.checks import require_equal_sizes
from attnlab.ranges import Positive
from attnlab.types import ConfigError, History, Memory


class Cosine(Score):
    """Cosine score.

    Args:
        query_dim, key_dim: sizes of q and k.
        sharpness: beta at the beginning; the weights of a perfect match and of a right angle differ by e^beta.

    Raises:
        ConfigError: queries and keys differ in size, or the sharpness is not positive.
    """

    def __init__(self, query_dim: int, key_dim: int, sharpness: Positive = 10.0) -> None:
        super().__init__(query_dim, key_dim)
        require_equal_sizes("cosine", query_dim, key_dim)
        if sharpness <= 0:
            raise ConfigError(f"attention.score.sharpness must be above 0, got {sharpness}")
        self.sharpness = sharpness
        self.b = nn.Parameter(torch.empty(()))

    def initialize(self) -> None:
        nn.init.constant_(self.b, self.sharpness + math.log(-math.expm1(-self.sharpness)))  # softplus, backwards

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S V"]:
        return F.normalize(states, dim=-1, eps=1e-6)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return F.softplus(self.b) * F.normalize(query, dim=-1, eps=1e-6) @ memory.keys.transpose(1, 2)
