"""Luong's decoder with input feeding: the attentional vector enters the next step.

    h_t = RNN([y_{t-1}; f_{t-1}], h_{t-1});  c_t = attention(h_t);  f_t = readout(h_t, c_t)

Luong, Pham and Manning 2015, section 3.3. The recurrence now runs through attention, so training steps; the input
gates of the words are still one product for all steps.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.decoders.base import Decoded, DecoderState, DecodingWeights, SteppedDecoder, Trace
from attnlab.decoders.loops import looked_at, whole_loop
from attnlab.decoders.readout import Attentional, Readout
from attnlab.kernels.steps.loops import InputFeeding
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Cell, Recurrent, join_layers, split_layers
from attnlab.layers.stacking import PLAIN, Stacking
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import Encoded, Memory


class LuongInputFeeding(SteppedDecoder):
    """See ``RecurrentDecoder``; ``cell``, ``dropout`` (between layers) and ``stacking`` are the recurrence's."""

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
        super().__init__(
            embedding_dim, source, attention, bridge, readout, hidden_dim, layers, 2 if cell == "lstm" else 1
        )
        self.recurrent = Recurrent(cell, embedding_dim, hidden_dim, layers, dropout, self.output_dim, stacking)

    def first_feed(self, encoded: Encoded) -> Float[Tensor, "B R"]:
        return encoded.summary.new_zeros(encoded.summary.size(0), self.output_dim)

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        looked = looked_at(self.attention, memory, embedded)
        if looked is None or not self.recurrent.plain or not isinstance(self.readout, Attentional):
            return self.step_by_step(embedded, memory, state)
        extra = self.readout.W_c.weight, cast(Tensor, state.feed)
        (features, weights), cells = whole_loop(InputFeeding, [self.recurrent], embedded, looked, state.cells, *extra)
        return Decoded(features, weights, DecoderState(cells, features[:, -1], None))

    def step_by_step(
        self,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        decoding: DecodingWeights | None = None,
    ) -> Decoded:
        """The loop in autograd, for any mechanism and readout."""
        (step,), readout = decoding or self.decoding_weights()
        gates = step.hoist(embedded)
        cells, feed, history = split_layers(state.cells), state.feed, state.history
        features, trace = [], Trace()
        for gates_t, embedded_t in zip(gates.unbind(1), embedded.unbind(1), strict=True):
            output, cells = step(gates_t, feed, cells)
            attended = self.attend(output.unsqueeze(1), memory, history)
            feed, history = readout(output, trace.add(attended), embedded_t), attended.history
            features.append(feed)
        state = DecoderState(join_layers(cells), feed, history)
        return Decoded(torch.stack(features, dim=1), trace.weights, state, trace.sample)
