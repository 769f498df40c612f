r"""Dot score on keys that went through one layer: the attention of documents and of structured self-attention.

$$e_{ij} = q_i^\top \tanh(W h_j + b)$$

Paper: Yang et al. 2016, "Hierarchical attention networks for document classification", equations (5) and (6); Lin et
al. 2017, "A structured self-attentive sentence embedding", equation (6), without b.
Cost: time O(B T S Q), memory O(B T S); the keys O(B S K Q) once a sentence.

Both papers ask with learned vectors instead of a decoder's state: ``pooling=context_vector``, ``pooling=structured``.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.types import History, Memory


class TanhDot(Score):
    """Dot score on projected keys.

    Args:
        query_dim: size of q.
        key_dim: size of h.
        bias: whether there is a b.
    """

    product_scale = 1.0

    def __init__(self, query_dim: int, key_dim: int, bias: bool = True) -> None:
        super().__init__(query_dim, key_dim)
        self.W = nn.Linear(key_dim, query_dim, bias=bias)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S Q"]:
        return torch.tanh(self.W(states))

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return query @ memory.keys.transpose(1, 2)
