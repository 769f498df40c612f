r"""Normed additive attention: Bahdanau's score with the direction and the length of v learned apart.

$$e_{ij} = g \, \frac{v_a^\top}{\lVert v_a \rVert} \tanh(W_a s_{i-1} + U_a h_j + b)$$

Paper: Salimans and Kingma 2016, "Weight normalization", equation (2), on the score of Bahdanau et al. 2015, as in
Raffel et al. 2017, "Online and linear-time attention by enforcing monotonic alignments", section 2.4.
Cost: time O(B T A (Q + S)), memory O(B (T + S) A + B T S); the keys O(B S K A) once a sentence.

g starts at 1 / sqrt(A) and b at 0, so that scores of any width A start small.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Score
from attnlab.kernels.additive import additive_scores
from attnlab.ranges import Real, Width
from attnlab.types import History, Memory


class BahdanauNormed(Score):
    """Normed additive score.

    Args:
        query_dim, key_dim: sizes of s and h.
        attention_dim: A, the size inside the tanh; None takes ``query_dim``.
        g: length of v at the beginning; None takes 1 / sqrt(A).
    """

    def __init__(self, query_dim: int, key_dim: int, attention_dim: Width | None = None, g: Real | None = None) -> None:
        super().__init__(query_dim, key_dim)
        attention_dim = attention_dim or query_dim
        self.first_g = attention_dim**-0.5 if g is None else g
        self.W_a = nn.Linear(query_dim, attention_dim, bias=False)
        self.U_a = nn.Linear(key_dim, attention_dim)  # its bias is b
        self.v_a = nn.Linear(attention_dim, 1, bias=False)
        self.g = nn.Parameter(torch.empty(()))

    def initialize(self) -> None:
        nn.init.constant_(self.g, self.first_g)
        nn.init.zeros_(self.U_a.bias)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S A"]:
        return self.U_a(states)

    def additive(self) -> tuple[Float[Tensor, "A Q"], Float[Tensor, " A"]]:
        v = self.v_a.weight[0]
        return self.W_a.weight, self.g * v / v.norm()

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        W, v = self.additive()
        return additive_scores(F.linear(query, W), memory.keys, v)
