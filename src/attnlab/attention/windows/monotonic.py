r"""Monotonic attention: the decoder reads on from where it is until a word is chosen, and never goes back.

$$p_{ij} = \sigma(e_{ij} + r), \qquad q_{ij} = (1 - p_{i,j-1}) \, q_{i,j-1} + a_{i-1,j}, \qquad
a_{ij} = p_{ij} \, q_{ij}$$

Paper: Raffel et al. 2017, "Online and linear-time attention by enforcing monotonic alignments", sections 2.2
(hard), 2.3 (expected) and 2.5 (noise).
Cost: time and memory O(B T S log S), besides the score's.

Training takes the expected alignment, with Gaussian noise on the energies that teaches them to be decisive. Evaluation
and search are hard: the first word at or behind the last one with p > 1/2. Before the first step the decoder stands at
the first word; once it has run past the last word it looks at nothing any more, so weights sum to at most 1. The
published energy is the normed additive one; r may start below 0 where sentences are longer than their translations.

q is not computed with the paper's quotient of cumulative sums and products, which overflows unless it is clamped, but
by doubling: after k rounds it holds what reaches j from the 2^k words before. All terms are products of numbers in
[0, 1] that are only multiplied and added, so nothing overflows or cancels.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Attention, Normalizer, Window, WindowOutput
from attnlab.attention.normalizers.sigmoid import Sigmoid
from attnlab.attention.row_sums import RowSum
from attnlab.ranges import Real, Weight
from attnlab.types import ConfigError, History, Memory


class Monotonic(Window):
    """The recursion over the words.

    Args:
        query_dim, key_dim: sizes of queries and annotations; neither is read.
        r: first value of the learned offset.
        noise: standard deviation of what is added to the energies in training.

    Raises:
        ConfigError: a normalizer other than ``sigmoid``, or one with a bias.
    """

    needs_history = True

    def __init__(self, query_dim: int, key_dim: int, r: Real = 0.0, noise: Weight = 1.0) -> None:
        super().__init__(query_dim, key_dim)
        self.first_r, self.noise = r, noise
        self.r = nn.Parameter(torch.empty(()))

    def row_sum(self, normalizer: RowSum) -> RowSum:
        return RowSum.AT_MOST_ONE

    def initialize(self) -> None:
        nn.init.constant_(self.r, self.first_r)

    def check(self, attention: Attention) -> None:
        if not isinstance(attention.normalizer, Sigmoid):
            raise ConfigError(
                f"a monotonic window decides word by word, each with a probability of its own, and "
                f"{type(attention.normalizer).__name__} gives one distribution over all words. "
                "Set attention/normalizer=sigmoid"
            )
        if attention.normalizer.bias is not None:
            raise ConfigError(
                f"a monotonic window learns an offset r of its own, where attention.normalizer.bias="
                f"{attention.normalizer.bias} sets one: leave the bias out (null), or set attention.window.r"
            )

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B 1 S"]:
        return memory.mask.unsqueeze(1)

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        assert history is not None  # needs_history
        return WindowOutput(self.align(scores, normalizer, memory, history, history.previous))

    def align(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        memory: Memory,
        history: History,
        previous: Float[Tensor, "N S"],
    ) -> Float[Tensor, "B T S"]:
        """a_i from a_{i-1}: expected in training, chosen otherwise."""
        start = F.one_hot(torch.zeros_like(history.step), scores.size(-1)).to(previous.dtype)
        previous = torch.where(history.step.unsqueeze(-1) == 0, start, previous).view_as(scores)
        energies = scores + self.r
        if self.training:
            energies = energies + self.noise * torch.randn_like(energies)
            p = normalizer(energies, self(scores, memory, history))
            return p * reach(1 - p, previous.to(p.dtype))
        chosen = (energies > 0) & memory.mask.unsqueeze(1) & (previous.cumsum(-1) > 0)
        return (chosen & (chosen.cumsum(-1) == 1)).to(scores.dtype)


def reach(passed: Float[Tensor, "B T S"], entered: Float[Tensor, "B T S"]) -> Float[Tensor, "B T S"]:
    """q_j = passed_{j-1} q_{j-1} + entered_j, in log2(S) rounds over all positions."""
    q, passed = entered, F.pad(passed[..., :-1], (1, 0))
    distance = 1
    while distance < q.size(-1):
        q = q + passed * F.pad(q[..., :-distance], (distance, 0))
        passed = passed * F.pad(passed[..., :-distance], (distance, 0))
        distance *= 2
    return q
