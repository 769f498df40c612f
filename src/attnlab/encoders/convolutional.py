"""The convolutional encoder: gated linear units over windows of words that know their position.

    h^0_j = W_in (x_j + p_j)
    [A; B] = W * [h^{l-1}_{j-k/2}; …; h^{l-1}_{j+k/2}] + b;   h^l_j = (A * sigmoid(B) + h^{l-1}_j) sqrt(0.5)
    z_j = W_out h^L_j;   attention matches z_j and sums up z_j + x_j + p_j

Gehring et al. 2017, "Convolutional sequence to sequence learning", sections 3.1 to 3.4; weight-normalised (Salimans and
Kingma 2016), as there. What is left out: the paper scales the gradients that the encoder gets from several attentions.
"""

from collections.abc import Callable
from typing import cast

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from attnlab.encoders.base import Encoder
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.base import Position, require_absolute
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import ConfigError, Encoded


class Convolutional(Encoder):
    """A stack of gated convolutions; annotations have the size of the embeddings, the summary C is their mean.

    Args:
        embedding_dim: size of the embedded words.
        position: where words stand; an absolute kind.
        hidden_dim: size between the layers.
        layers: how many.
        kernel: k, words in a window, an odd number.
        dropout: of embedded words, and before every convolution.

    Raises:
        ConfigError: a kernel without a middle, or a position that acts in self-attention.
    """

    own_dropout = True

    def __init__(
        self,
        embedding_dim: int,
        position: Callable[..., Position],
        hidden_dim: Width = 256,
        layers: Depth = 4,
        kernel: Width = 3,
        dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigError(f"encoder.kernel must be odd, so that a window has a middle; got {kernel}")
        self.dims = SourceDims(states=embedding_dim, summary=embedding_dim, final=embedding_dim, layers=1, parts=1)
        self.position = position(model_dim=embedding_dim, heads=1, causal=False)
        require_absolute("convolutional", self.position)
        self.enter = weight_norm(nn.Linear(embedding_dim, hidden_dim))
        self.convolutions = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden_dim, 2 * hidden_dim, kernel, padding=kernel // 2)) for _ in range(layers)
        )
        self.leave = weight_norm(nn.Linear(hidden_dim, embedding_dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        real = mask.unsqueeze(-1)
        words = self.dropout(self.position.embed(embedded, 0))
        states = self.enter(words)
        for convolution in self.convolutions:
            states = (self._gated(cast(nn.Conv1d, convolution), states * real) + states) * 0.5**0.5
        outputs = self.leave(states) * real
        summary = outputs.sum(1) / real.sum(1)
        return Encoded(outputs, mask, summary, (summary.unsqueeze(1),), (outputs + words) * real)

    def _gated(self, convolution: nn.Conv1d, states: Float[Tensor, "B S H"]) -> Float[Tensor, "B S H"]:
        """A * sigmoid(B); ``states`` are zero on padding, like what a window sees beyond the ends."""
        return F.glu(convolution(self.dropout(states).transpose(1, 2)).transpose(1, 2), dim=-1)
