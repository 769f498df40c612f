"""Bahdanau's decoder: attend with the old state s_{i-1}, then step with what was found.

    c_i = attention(s_{i-1});  s_i = RNN([y_{i-1}; c_i], s_{i-1});  feature_i = readout(s_i or s_{i-1}, c_i, y_{i-1})

Bahdanau, Cho and Bengio 2015, section 3.1 and appendix A.2.2. The paper's cell is ``gru_reset_before``, U (r * s); the
default is torch's faster GRU, r * (U s + b). The input gates of the words and the readout are computed for all steps at
once; a step has only the attention and the recurrent product.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.decoders.base import Decoded, DecoderState, DecodingWeights, SteppedDecoder, Trace
from attnlab.decoders.loops import looked_at, whole_loop
from attnlab.decoders.readout import Readout
from attnlab.kernels.steps.loops import AttendFirst
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Cell, Recurrent, join_layers, split_layers
from attnlab.layers.stacking import PLAIN, Stacking
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import ConfigError, Memory


class Bahdanau(SteppedDecoder):
    """See ``RecurrentDecoder``; ``cell``, ``dropout`` (between layers) and ``stacking`` are the recurrence's.

    Raises:
        ConfigError: residual connections.
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
        super().__init__(
            embedding_dim, source, attention, bridge, readout, hidden_dim, layers, 2 if cell == "lstm" else 1
        )
        if stacking.residual:
            raise ConfigError(
                "decoder=bahdanau asks attention with the state itself, to which nothing is added: set "
                "decoder.stacking.residual=false, or take decoder=luong or luong_input_feeding"
            )
        self.recurrent = Recurrent(
            cell, embedding_dim, hidden_dim, layers, dropout, self.attention.context_dim, stacking
        )

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        looked = looked_at(self.attention, memory, embedded)
        if looked is None or not self.recurrent.plain:
            return self.step_by_step(embedded, memory, state)
        (states, contexts, weights), cells = whole_loop(AttendFirst, [self.recurrent], embedded, looked, state.cells)
        read = states[:, :-1] if self.readout.reads_previous else states[:, 1:]
        return Decoded(self.readout(read, contexts, embedded), weights, DecoderState(cells, None, None))

    def step_by_step(
        self,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        decoding: DecodingWeights | None = None,
    ) -> Decoded:
        """The loop in autograd, for any mechanism."""
        (step,), readout = decoding or self.decoding_weights()
        gates = step.hoist(embedded)
        cells, history = split_layers(state.cells), state.history
        states, trace = [cells[-1][0]], Trace()
        for gates_t in gates.unbind(1):
            attended = self.attend(states[-1].unsqueeze(1), memory, history)
            output, cells = step(gates_t, trace.add(attended), cells)
            history = attended.history
            states.append(output)
        read = states[:-1] if self.readout.reads_previous else states[1:]
        features = readout(torch.stack(read, dim=1), trace.contexts, embedded)
        return Decoded(features, trace.weights, DecoderState(join_layers(cells), None, history), trace.sample)
