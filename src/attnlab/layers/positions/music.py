"""Relative positions in the keys, in the memory-efficient form of the Music Transformer.

    e_ij = (q_i k_j^T + q_i E^r_{j - i}^T) / sqrt(d);   S^rel = skew(Q E^r^T)

Huang et al. 2018, "Music Transformer", equation (3) and section 3.4.1: all products Q E^r^T are one matrix with a row a
query and a column a distance, and padding, reshaping and slicing it shifts each row to its place: O(T d) memory instead
of O(T^2 d). The same numbers as the key part of Shaw et al. 2018. The paper has causal self-attention; here the columns
run over both directions.
"""

from jaxtyping import Float
from torch import Tensor, arange, nn
from torch.nn import functional as F

from attnlab.layers.positions.base import Position
from attnlab.layers.positions.tables import distance_table
from attnlab.ranges import ZeroOrMore


class Music(Position):
    """Relative keys by skewing.

    Args:
        model_dim, heads, causal: see ``Position``.
        max_distance: distances beyond it share its vector.
        per_head: whether every head has vectors of its own, as in the paper.
    """

    relative = each_layer = needs_product = True

    def __init__(
        self, model_dim: int, heads: int, causal: bool, max_distance: ZeroOrMore = 64, per_head: bool = True
    ) -> None:
        super().__init__(model_dim, heads, causal)
        self.max_distance = max_distance
        self.E_r = nn.Parameter(distance_table(heads if per_head else 1, max_distance, self.head_dim))

    def bias(self, query: Float[Tensor, "N H T D"], source: int, scale: float) -> Float[Tensor, "N H T S"]:
        target, k = query.size(2), self.max_distance
        distances = arange(1 - source, target, device=query.device).clamp(-k, k)  # all that occur, in order
        return scale * skew(query @ self.E_r[:, distances + k].transpose(1, 2), source)


def skew(products: Float[Tensor, "N H T R"], source: int) -> Float[Tensor, "N H T S"]:
    """Shift row t by T - 1 - t columns to the left: from distances 1 - S … T - 1 to positions 0 … S - 1."""
    target, columns = products.shape[-2:]
    flat = F.pad(products, (0, 1)).flatten(-2)  # one column more, so that each row starts one later than it should
    return flat[..., target - 1 : target - 1 + target * columns].unflatten(-1, (target, columns))[..., :source]
