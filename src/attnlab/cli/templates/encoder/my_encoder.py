r"""My encoder: every annotation is a small network on a word and its two neighbours.

$$h_j = \tanh(W [x_{j-1}; x_j; x_{j+1}] + b)$$

Words beyond the ends, and on padding, are zero; the summary C is the mean of the annotations.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.encoders.base import Encoder
from attnlab.layers.dims import SourceDims
from attnlab.ranges import Width
from attnlab.types import Encoded


class MyEncoder(Encoder):
    """A window of three words.

    Args:
        embedding_dim: size of the embedded words.
        hidden_dim: of the annotations.
    """

    def __init__(self, embedding_dim: int, hidden_dim: Width = 128) -> None:
        super().__init__()
        self.dims = SourceDims(states=hidden_dim, summary=hidden_dim, final=hidden_dim, layers=1, parts=1)
        self.project = nn.Linear(3 * embedding_dim, hidden_dim)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        real = mask.unsqueeze(-1)
        words = nn.functional.pad(embedded.masked_fill(~real, 0), (0, 0, 1, 1))
        states = torch.tanh(self.project(torch.cat([words[:, :-2], words[:, 1:-1], words[:, 2:]], -1))) * real
        summary = states.sum(1) / real.sum(1)
        return Encoded(states, mask, summary, (summary.unsqueeze(1),))
