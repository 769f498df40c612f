"""Luong's decoder: step, then attend with the new state h_t.

    h_t = RNN(y_{t-1}, h_{t-1});  c_t = attention(h_t);  feature_t = readout(h_t, c_t)

Luong, Pham and Manning 2015, section 3, without input feeding: nothing that attention finds enters the recurrence, so
in training the whole recurrence is one fused call and all steps attend in one batched product.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import consecutive
from attnlab.decoders.base import Decoded, DecoderState, DecodingWeights, SteppedDecoder, require_no_history
from attnlab.decoders.readout import Read, Readout
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Cell, Recurrent, State, join_layers, split_layers
from attnlab.layers.stacking import PLAIN, Stacking
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import Memory


class Luong(SteppedDecoder):
    """See ``RecurrentDecoder``; ``cell``, ``dropout`` (between layers) and ``stacking`` are the recurrence's.

    Raises:
        ConfigError: given an attention that looks back at its own last step.
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
        if self.attention.looks_back:  # one that only counts its steps can still be asked for all at once
            require_no_history("luong", self.attention)
        self.recurrent = recurrent

    def step_by_step(
        self,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        decoding: DecodingWeights | None = None,
    ) -> Decoded:
        """As the fused call has it; faster for the single steps of a search, with weights laid out once."""
        (step,), readout = decoding or self.decoding_weights()
        outputs, cells = [], split_layers(state.cells)
        for gates in step.hoist(embedded).unbind(1):
            output, cells = step(gates, None, cells)
            outputs.append(output)
        return self._attend(torch.stack(outputs, dim=1), join_layers(cells), embedded, memory, state, readout)

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        outputs, cells = self.recurrent(embedded, state.cells)
        return self._attend(outputs, cells, embedded, memory, state, self.readout)

    def _attend(
        self,
        outputs: Float[Tensor, "N T H"],
        cells: State,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        readout: Read,
    ) -> Decoded:
        past, history = state.history, None
        if past is not None:  # of a mechanism that counts its steps
            steps = outputs.size(1)
            past, history = consecutive(past, steps), past._replace(step=past.step + steps)
        attended = self.attend(outputs, memory, past)
        features = readout(outputs, attended.context, embedded)
        return Decoded(features, attended.weights, DecoderState(cells, None, history), attended.sample)
