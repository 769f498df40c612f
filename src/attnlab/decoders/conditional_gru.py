"""The conditional GRU: one cell reads the word, attention is asked in between, a second cell reads what it found.

    s'_j = GRU_1(y_{j-1}, s_{j-1});  c_j = attention(s'_j);  s_j = GRU_2(c_j, s'_j)

Sennrich et al. 2017, "Nematus: a toolkit for neural machine translation", section 2, equations (2) to (9).
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.decoders.base import Decoded, DecoderState, DecodingWeights, SteppedDecoder, Trace
from attnlab.decoders.loops import looked_at, whole_loop
from attnlab.decoders.readout import Readout
from attnlab.kernels.steps.loops import Between
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Recurrent
from attnlab.ranges import Width
from attnlab.types import Memory


class ConditionalGru(SteppedDecoder):
    """See ``RecurrentDecoder``; one layer of two cells, by default those of the paper, which reset the product."""

    def __init__(
        self,
        embedding_dim: int,
        source: SourceDims,
        attention: Callable[..., Any],
        bridge: Callable[..., Bridge],
        readout: Callable[..., Readout],
        hidden_dim: Width = 512,
        cell: Literal["gru", "gru_reset_before"] = "gru",
    ) -> None:
        super().__init__(embedding_dim, source, attention, bridge, readout, hidden_dim, 1, 1)
        self.first = Recurrent(cell, embedding_dim, hidden_dim)
        # Its input is the context alone, known only within the step.
        self.second = Recurrent(cell, 0, hidden_dim, extra_dim=self.attention.context_dim)

    def forward(self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState) -> Decoded:
        looked = looked_at(self.attention, memory, embedded)
        if looked is None:
            return self.step_by_step(embedded, memory, state)
        (states, contexts, weights), cells = whole_loop(
            Between, [self.first, self.second], embedded, looked, state.cells
        )
        return Decoded(self.readout(states, contexts, embedded), weights, DecoderState(cells, None, None))

    @property
    def stacks(self) -> list[Recurrent]:
        return [self.first, self.second]

    def step_by_step(
        self,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        decoding: DecodingWeights | None = None,
    ) -> Decoded:
        """The loop in autograd, for any mechanism."""
        (first, second), readout = decoding or self.decoding_weights()
        gates = first.hoist(embedded)
        hidden, history = state.cells[0][:, 0], state.history
        states, trace = [], Trace()
        for gates_t in gates.unbind(1):
            between, _ = first(gates_t, None, [(hidden,)])
            attended = self.attend(between.unsqueeze(1), memory, history)
            hidden, _ = second(None, trace.add(attended), [(between,)])
            history = attended.history
            states.append(hidden)
        features = readout(torch.stack(states, dim=1), trace.contexts, embedded)
        return Decoded(features, trace.weights, DecoderState((hidden.unsqueeze(1),), None, history), trace.sample)
