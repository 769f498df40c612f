r"""alpha-entmax with a learned alpha: from softmax (alpha = 1) to sparsemax (alpha = 2), as the data want it.

$$a_{ij} = \left[ (\alpha - 1) e_{ij} - \tau_i \right]_+^{1 / (\alpha - 1)}, \quad \tau_i \text{ such that }
\sum_j a_{ij} = 1, \qquad \alpha = 1 + \sigma(\theta)$$

Paper: Correia, Niculae and Martins 2019, "Adaptively sparse Transformers", sections 2 and 3; computed by the entmax
package.
Cost: time O(B T S n) for n = 50 steps of a bisection, memory O(B T S).

tau is found by bisection; the gradients of scores and alpha are exact.
"""

import math
from typing import Annotated

import torch
from annotated_types import Interval
from entmax import entmax_bisect
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Normalizer
from attnlab.attention.normalizers.sparsemax import projected
from attnlab.types import ConfigError


class Entmax(Normalizer):
    """alpha-entmax with one learned alpha.

    Args:
        alpha: at the beginning.

    Raises:
        ConfigError: an alpha outside (1, 2).
    """

    def __init__(self, alpha: Annotated[float, Interval(gt=1, lt=2)] = 1.5) -> None:
        super().__init__()
        if not 1 < alpha < 2:
            raise ConfigError(
                f"attention.normalizer.alpha must be between 1 and 2, got {alpha}. "
                "For the ends take attention/normalizer=softmax or sparsemax"
            )
        self.first_alpha = alpha
        self.theta = nn.Parameter(torch.empty(()))

    def initialize(self) -> None:
        nn.init.constant_(self.theta, math.log((self.first_alpha - 1) / (2 - self.first_alpha)))

    @property
    def alpha(self) -> Float[Tensor, ""]:
        return 1 + self.theta.to(torch.promote_types(self.theta.dtype, torch.float32)).sigmoid()

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        return projected(scores, mask, lambda inside: entmax_bisect(inside, self.alpha, dim=-1))
