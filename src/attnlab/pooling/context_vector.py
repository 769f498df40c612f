r"""Attention whose query is a learned context vector, the same for every text.

$$e_j = \operatorname{score}(u, h_j), \qquad a = \operatorname{softmax}(e), \qquad z = \sum_j a_j h_j$$

Yang et al. 2016, "Hierarchical attention networks for document classification", section 2.2, equations (5) to (7):
their score is u^T tanh(W h + b), ``attention=tanh_dot``.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.dims import SourceDims
from attnlab.pooling.base import Pooled, Pooling, attend, require_no_history
from attnlab.pooling.heads import by_head
from attnlab.ranges import Width
from attnlab.types import ConfigError, Encoded


class ContextVector(Pooling):
    """One look at the words, or several side by side, asked by learned vectors U.

    Args:
        source: sizes of what the encoder hands on.
        attention: called with the sizes of query and keys.
        query_dim: size of a vector; None is that of the annotations.
        looks: how many vectors; what they find stands side by side.

    Raises:
        ConfigError: a mechanism that asks where it has looked before.
    """

    attention: nn.Module
    name = "context_vector"

    def __init__(
        self,
        source: SourceDims,
        attention: Callable[..., nn.Module],
        query_dim: Width | None = None,
        looks: Width = 1,
    ) -> None:
        super().__init__(source)
        size = query_dim or source.states
        self.attention = attention(query_dim=size, key_dim=source.states, summary_dim=source.summary)
        require_no_history(self.attention, f"pooling={self.name}")
        if looks > 1 and not getattr(self.attention, "has_weights", True):
            raise ConfigError(
                f"pooling={self.name}: {looks} looks at nothing would all find the same; take an attention with "
                "weights, or pooling=last"
            )
        self.U = nn.Parameter(torch.empty(looks, size))
        self.output_dim = looks * cast(int, self.attention.context_dim)
        self.rows = ("context vector",) if looks == 1 else tuple(f"look {number}" for number in range(1, looks + 1))

    def initialize(self) -> None:
        """Of length 1 on average, whatever the model's initialisation: all the looks would begin alike near 0."""
        nn.init.normal_(self.U, std=self.U.size(1) ** -0.5)

    def query(self, encoded: Encoded) -> Float[Tensor, "B R Q"]:
        return self.U.expand(encoded.states.size(0), -1, -1)

    def forward(self, encoded: Encoded) -> Pooled:
        context, weights, sample = attend(self.attention, self.query(encoded), encoded)
        return Pooled(context.flatten(1), weights, None, sample)

    @torch.no_grad()
    def weights_by_head(self, encoded: Encoded) -> Float[Tensor, "B L H R S"] | None:
        return by_head(self.attention, self.query(encoded), encoded)
