"""The temporal convolutional network: residual blocks of dilated convolutions, 1, 2, 4, … words apart.

    F(x) = dropout(relu(conv_d(dropout(relu(conv_d(x))))));   block(x) = relu(x + F(x)), d = 2^{l-1} in block l

Bai, Kolter and Koltun 2018, "An empirical evaluation of generic convolutional and recurrent networks for sequence
modeling", section 3 and figure 1: convolutions weight-normalised, dropout of whole channels, a 1x1 convolution on x
where sizes differ. There a position sees what stands before it (causal); an encoder may look both ways.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from attnlab.encoders.base import Encoder, last_positions
from attnlab.layers.dims import SourceDims
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import ConfigError, Encoded


class Tcn(Encoder):
    """A stack of residual blocks; the summary C is the last annotation if causal, else their mean.

    Args:
        embedding_dim: size of the embedded words.
        hidden_dim: size of an annotation.
        layers: how many blocks; they reach (kernel - 1) (2^{layers + 1} - 2) words far.
        kernel: words in a window; an odd number where both ways are looked.
        causal: whether a position sees only what stands before it.
        dropout: of channels.

    Raises:
        ConfigError: a kernel without a middle where both ways are looked.
    """

    def __init__(
        self,
        embedding_dim: int,
        hidden_dim: Width = 256,
        layers: Depth = 4,
        kernel: Width = 3,
        causal: bool = False,
        dropout: Fraction = 0.0,
    ) -> None:
        super().__init__()
        if kernel < 2 or (kernel % 2 == 0 and not causal):
            raise ConfigError(
                f"encoder.kernel must be at least 2, and odd unless encoder.causal=true, so that a window has a "
                f"middle; got {kernel}"
            )
        self.causal = causal
        self.dims = SourceDims(states=hidden_dim, summary=hidden_dim, final=hidden_dim, layers=1, parts=1)
        sizes = [embedding_dim] + [hidden_dim] * (layers - 1)
        self.blocks = nn.ModuleList(
            Block(size, hidden_dim, kernel, 2**number, causal, dropout) for number, size in enumerate(sizes)
        )

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        real = mask.unsqueeze(1)
        states = embedded.transpose(1, 2) * real  # [B, E, S]
        for block in self.blocks:
            states = block(states, real)
        states = states.transpose(1, 2)
        if self.causal:
            summary = states[range(len(states)), last_positions(mask)]
        else:
            summary = states.sum(1) / mask.sum(1, keepdim=True)
        return Encoded(states, mask, summary, (summary.unsqueeze(1),))


class Block(nn.Module):
    """Two dilated convolutions and the way around them."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, causal: bool, dropout: float) -> None:
        super().__init__()
        reach = (kernel - 1) * dilation
        self.padding = (reach, 0) if causal else (reach // 2, reach // 2)
        self.first = weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(outputs, outputs, kernel, dilation=dilation))
        self.around = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, states: Float[Tensor, "B I S"], real: Bool[Tensor, "B 1 S"]) -> Float[Tensor, "B O S"]:
        """``states`` are zero on padding, and so is what comes out."""
        found = states
        for convolution in (self.first, self.second):
            found = self.dropout(F.relu(convolution(F.pad(found, self.padding)))) * real
        return F.relu(self.around(states) + found) * real
