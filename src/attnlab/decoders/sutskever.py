"""The plain encoder-decoder of Sutskever, Vinyals and Le 2014: C is the first state and nothing else.

h_0 = bridge(C);  h_t = RNN(y_{t-1}, h_{t-1});  feature_t = readout(h_t)
"""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor

from attnlab.decoders.base import Decoded, DecoderState, RecurrentDecoder, require_fixed_context
from attnlab.decoders.readout import Readout
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Cell, Recurrent
from attnlab.layers.stacking import PLAIN, Stacking
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import Memory


class Sutskever(RecurrentDecoder):
    """See ``RecurrentDecoder``. The readout is ``StateOnly`` in the paper; another one would read C at every step.

    Raises:
        ConfigError: given an attention other than ``none``.
    """

    def __init__(
        self,
        embedding_dim: int,
        source: SourceDims,
        attention: Callable[..., Any],
        bridge: Callable[..., Bridge],
        readout: Callable[..., Readout],
        cell: Cell = "lstm",
        hidden_dim: Width = 512,
        layers: Depth = 1,
        dropout: Fraction = 0.0,
        stacking: Stacking = PLAIN,
    ) -> None:
        recurrent = Recurrent(cell, embedding_dim, hidden_dim, layers, dropout, stacking=stacking)
        super().__init__(embedding_dim, source, attention, bridge, readout, hidden_dim, layers, recurrent.parts)
        require_fixed_context("sutskever", self.attention)
        self.recurrent = recurrent

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        outputs, cells = self.recurrent(embedded, state.cells)
        context = self.attend(outputs, memory).context
        return Decoded(self.readout(outputs, context, embedded), None, DecoderState(cells, None, None))
