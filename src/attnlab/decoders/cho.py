"""The plain encoder-decoder of Cho et al. 2014: the fixed context C enters every step.

    h_t = RNN([y_{t-1}; C], h_{t-1});  feature_t = readout(h_t, C, y_{t-1})

Section 2.2, equations (1) and (2) of "Learning phrase representations using RNN encoder-decoder for statistical
machine translation". C is known beforehand, so the whole recurrence is one call.
The paper's cell is ``gru_reset_before``, U (r * h); the default is torch's GRU, r * (U h + b), which is fused.
"""

from collections.abc import Callable
from typing import Any

import torch
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


class Cho(RecurrentDecoder):
    """See ``RecurrentDecoder``.

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
        cell: Cell = "gru",
        hidden_dim: Width = 512,
        layers: Depth = 1,
        dropout: Fraction = 0.0,
        stacking: Stacking = PLAIN,
    ) -> None:
        recurrent = Recurrent(cell, embedding_dim + source.summary, hidden_dim, layers, dropout, stacking=stacking)
        super().__init__(embedding_dim, source, attention, bridge, readout, hidden_dim, layers, recurrent.parts)
        require_fixed_context("cho", self.attention)
        self.recurrent = recurrent

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        context = self.attend(embedded, memory).context
        outputs, cells = self.recurrent(torch.cat([embedded, context], dim=-1), state.cells)
        return Decoded(self.readout(outputs, context, embedded), None, DecoderState(cells, None, None))
