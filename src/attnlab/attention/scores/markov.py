r"""Markov attention: a product that also weighs how far it jumps from where the last step looked.

$$e_{ij} = \frac{s_i^\top W_a h_j}{\sqrt{Q}} + \ln \sum_{k=0}^{S} a_{i-1,k} \exp(b_{j-k})$$

Paper: after Vogel, Ney and Tillmann 1996, "HMM-based word alignment in statistical translation", section 3, whose
probability of a jump depends on its width alone; of attention as a condition of the first order Cohn et al. 2016,
"Incorporating structural alignment biases into an attentional neural translation model", section 3.
Cost: time O(B T S (Q + S)), memory O(B T S + S S); the keys O(B S K Q) once a sentence.

The product is divided by the root of its size Q (Vaswani et al. 2017), so that at first a word is not looked at for
what it says more than for where it stands. Position 0 stands before the first word: it has what the last step's
weights lack to 1, so all of it at the first step. Jumps wider than D words share the bias of the widest. With
model=latent a_{i-1} is what the last word has been found to be looking at, as in an HMM that is filtered.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.ranges import Width
from attnlab.types import History, Memory

SMALLEST = 1e-20  #: a place that no jump reaches counts as so likely


class Markov(Score):
    """Bilinear score with a bias by width of jump.

    Args:
        query_dim, key_dim: sizes of s and h.
        max_jump: D, in words, to either side.
    """

    needs_history = True

    def __init__(self, query_dim: int, key_dim: int, max_jump: Width = 12) -> None:
        super().__init__(query_dim, key_dim)
        self.max_jump = max_jump
        self.W_a = nn.Linear(key_dim, query_dim, bias=False)
        self.b = nn.Parameter(torch.zeros(2 * max_jump + 1))

    def initialize(self) -> None:
        """All jumps alike, whatever the model's initialisation."""
        nn.init.zeros_(self.b)

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S Q"]:
        return self.query_dim**-0.5 * self.W_a(states)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        reached = self.before(history.previous) @ self.jumps(history.previous.size(-1)).to(history.previous.dtype)
        content = query @ memory.keys.transpose(1, 2)
        wide = reached.to(torch.promote_types(reached.dtype, torch.float32))  # float16 has no number so small
        return content + wide.clamp(min=SMALLEST).log().to(content.dtype).unflatten(0, query.shape[:2])

    def before(self, previous: Float[Tensor, "N S"]) -> Float[Tensor, "N S1"]:
        """The last weights, with the place before the first word in front."""
        return torch.cat([(1 - previous.sum(-1, keepdim=True)).clamp(min=0), previous], dim=-1)

    def jumps(self, length: int) -> Float[Tensor, "S1 S"]:
        """exp(b) from each place of ``before`` to each word."""
        places = torch.arange(length + 1, device=self.b.device)
        width = places[1:] - places[:, None]
        return self.b[width.clamp(-self.max_jump, self.max_jump) + self.max_jump].exp()
