r"""Structured self-attention: several looks at the words, which a penalty keeps apart.

$$A = \operatorname{softmax}\bigl(W_2 \tanh(W_1 H^\top)\bigr), \qquad M = A H, \qquad
P = \lVert A A^\top - I \rVert_F^2$$

Lin et al. 2017, "A structured self-attentive sentence embedding", equations (6) to (8): r rows of A, whose finds stand
side by side in M, and a penalty that is added to the loss of each text. Their score is ``attention=tanh_dot`` with the
rows of W_2 as queries, without a bias.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.dims import SourceDims
from attnlab.pooling.base import Pooled
from attnlab.pooling.context_vector import ContextVector
from attnlab.ranges import Weight, Width
from attnlab.types import Encoded


class Structured(ContextVector):
    """Several looks with a penalty on their likeness.

    Args:
        source: sizes of what the encoder hands on.
        attention: called with the sizes of query and keys.
        query_dim: d_a, size of a row of W_2; None is that of the annotations.
        looks: r.
        penalty: weight of P in the objective of a text.

    Raises:
        ConfigError: a mechanism that asks where it has looked before.
    """

    name = "structured"

    def __init__(
        self,
        source: SourceDims,
        attention: Callable[..., nn.Module],
        query_dim: Width | None = None,
        looks: Width = 4,
        penalty: Weight = 0.1,
    ) -> None:
        super().__init__(source, attention, query_dim, looks)
        self.penalty = penalty

    def forward(self, encoded: Encoded) -> Pooled:
        found = super().forward(encoded)
        if not self.penalty or found.weights is None:
            return found
        return found._replace(penalty=self.penalty * likeness(found.weights))


def likeness(weights: Float[Tensor, "B R S"]) -> Float[Tensor, " B"]:
    """P = ||A A^T - I||_F^2 of each text."""
    alike = weights @ weights.transpose(1, 2)
    return (alike - torch.eye(alike.size(1), dtype=alike.dtype, device=alike.device)).square().sum((1, 2))
