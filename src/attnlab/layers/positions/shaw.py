"""Relative positions in keys and values (Shaw et al. 2018), distances clipped to k.

    e_ij = x_i W_q (x_j W_k + a^K_{clip(j - i)})^T / sqrt(d),   z_i = sum_j alpha_ij (x_j W_v + a^V_{clip(j - i)})

Shaw, Uszkoreit and Vaswani 2018, "Self-attention with relative position representations", equations (3) to (5). Vectors
are shared by the heads (section 3.3) unless told otherwise, and not by the layers.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.layers.positions.base import Position, offsets
from attnlab.layers.positions.tables import distance_table
from attnlab.ranges import ZeroOrMore


class Shaw(Position):
    """Relative keys and values.

    Args:
        model_dim, heads, causal: see ``Position``.
        max_distance: k; the paper has 16.
        per_head: whether every head has vectors of its own.
    """

    relative = each_layer = needs_product = weighs_values = True

    def __init__(
        self, model_dim: int, heads: int, causal: bool, max_distance: ZeroOrMore = 16, per_head: bool = False
    ) -> None:
        super().__init__(model_dim, heads, causal)
        self.max_distance = max_distance
        self.a_k, self.a_v = (
            nn.Parameter(distance_table(heads if per_head else 1, max_distance, self.head_dim)) for _ in range(2)
        )

    def bias(self, query: Float[Tensor, "N H T D"], source: int, scale: float) -> Float[Tensor, "N H T S"]:
        products = query @ self.a_k.transpose(1, 2)  # [N, H, T, 2k + 1]: no vector a pair is ever made
        rows = self._rows(query.size(2), source, query.device)
        return scale * products.gather(-1, rows.expand(*products.shape[:2], -1, -1))

    def values(self, weights: Float[Tensor, "N H T S"]) -> Float[Tensor, "N H T D"]:
        rows = self._rows(weights.size(2), weights.size(3), weights.device)
        by_distance = weights.new_zeros(*weights.shape[:3], self.a_v.size(1))
        return by_distance.scatter_add(-1, rows.expand_as(weights), weights) @ self.a_v

    def _rows(self, target: int, source: int, device: torch.device) -> Tensor:
        k = self.max_distance
        return offsets(target, source, device).clamp(-k, k) + k
