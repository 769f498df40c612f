"""Luong's decoder: step, then attend with the new state h_t.

    h_t = RNN(y_{t-1}, h_{t-1});  c_t = attention(h_t);  feature_t = readout(h_t, c_t)

Luong, Pham and Manning 2015, section 3, without input feeding: nothing that attention finds enters the recurrence, so
in training the whole recurrence is one fused call and all steps attend in one batched product; one by one, with a
mechanism that looks back.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.attention.base import Attended, consecutive
from attnlab.decoders.base import Decoded, DecoderState, DecodingWeights, SteppedDecoder, Trace
from attnlab.decoders.readout import Read, Readout
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Cell, Recurrent, State, join_layers, split_layers
from attnlab.layers.stacking import PLAIN, Stacking
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import History, Memory

Found = Callable[[int, Any], Float[Tensor, "N t S"]]


class Luong(SteppedDecoder):
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
        recurrent = Recurrent(cell, embedding_dim, hidden_dim, layers, dropout, stacking=stacking)
        super().__init__(embedding_dim, source, attention, bridge, readout, hidden_dim, layers, recurrent.parts)
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
        attended, _ = self.look(outputs, memory, state.history)
        features = readout(outputs, attended.context, embedded)
        return Decoded(features, attended.weights, DecoderState(cells, None, attended.history), attended.sample)

    def look(
        self,
        outputs: Float[Tensor, "N T H"],
        memory: Memory,
        history: History | None,
        found: Found | None = None,
    ) -> tuple[Attended, Float[Tensor, "N T S"] | None]:
        """Attend with every output: of all steps at once, or one by one where the mechanism looks back.

        Args:
            outputs: of the recurrence.
            memory: what is looked at.
            history: before the first step.
            found: from a step and the weights of it and later ones to where these have looked in the end, which is what
                a mechanism that looks back is told; None: the weights say it themselves.

        Returns:
            What was attended, with the history behind the last step; and what was found.
        """
        if not self.attention.looks_back:
            past = history
            if history is not None:  # of a mechanism that counts its steps
                steps = outputs.size(1)
                past, history = consecutive(history, steps), history._replace(step=history.step + steps)
            attended = self.attend(outputs, memory, past)._replace(history=history)
            return attended, attended.weights if found is None else found(0, attended.weights)
        trace, ends = Trace(), []
        for step, output in enumerate(outputs.split(1, dim=1)):
            attended = self.attend(output, memory, history)
            trace.add(attended)
            history = attended.history
            if found is not None and history is not None:
                ends.append(found(step, attended.weights))
                history = history.corrected(ends[-1][:, 0])
        whole = Attended(trace.contexts, trace.weights, history, trace.sample)
        return whole, whole.weights if found is None else torch.cat(ends, dim=1)
