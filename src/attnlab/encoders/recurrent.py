"""Recurrent encoders: Elman RNN, LSTM and GRU, one or two directions, any depth.

Bidirectional as in Bahdanau et al. 2015, section 3.2: h_j = [forward h_j; backward h_j]. Sentences are not packed:
the backward direction reads each sentence turned round within its own length, so that padding always comes last and
no real position ever sees it, and torch's fast unpacked kernels can be used. The tests hold this against
``pack_padded_sequence``.
"""

from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.encoders.base import Encoder, last_positions, permute, reversal
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import RNNS, Cell, all_steps
from attnlab.layers.stacking import PLAIN, Between, Stacking
from attnlab.private.torch import fused_lstm
from attnlab.ranges import Depth, Fraction, Width
from attnlab.types import Encoded

# Added to an LSTM's gate sums on padding: sigmoid(x - HOLD) is exactly 0 and sigmoid(x + HOLD) exactly 1.
HOLD = 1e4


class Recurrent(Encoder):
    """A recurrent encoder.

    Args:
        embedding_dim: size of the embedded words.
        cell: ``lstm``, ``gru``, ``gru_reset_before`` (the GRU of Cho et al. 2014) or ``rnn`` (Elman, tanh).
        hidden_dim: size of one direction.
        layers: depth; each layer reads both directions of the one below.
        bidirectional: two directions, or forward only.
        dropout: between layers.
        stacking: what else stands between them (``layers/stacking.py``).

    Raises:
        ConfigError: something of it has no place.
    """

    def __init__(
        self,
        embedding_dim: int,
        cell: Cell = "lstm",
        hidden_dim: Width = 256,
        layers: Depth = 1,
        bidirectional: bool = True,
        dropout: Fraction = 0.0,
        stacking: Stacking = PLAIN,
    ) -> None:
        super().__init__()
        self.cell = cell
        self.directions = 2 if bidirectional else 1
        width = hidden_dim * self.directions
        parts = 2 if cell == "lstm" else 1
        self.dims = SourceDims(states=width, summary=width, final=width, layers=layers, parts=parts)
        sizes = [embedding_dim] + [width] * (layers - 1)
        self.rnns = nn.ModuleList(
            RNNS[cell](size, hidden_dim, batch_first=True) for size in sizes for _ in range(self.directions)
        )
        self.between = Between(stacking, width, layers, dropout)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded:
        last, turned = last_positions(mask), reversal(mask)
        states, finals, masks = embedded, [], None
        for layer in range(self.dims.layers):
            inputs = states if layer == 0 else self.between.handed_on(layer - 1, states)
            rnns = cast(list[nn.RNNBase], list(self.rnns[layer * self.directions : (layer + 1) * self.directions]))
            ways = [self._run(rnns[0], inputs, mask, last)]
            if self.directions == 2:
                back, final = self._run(rnns[1], permute(inputs, turned), mask, last)
                ways.append((permute(back, turned), final))
            states = torch.cat([outputs for outputs, _ in ways], dim=-1)
            masks = self.between.masks(len(states), states) if layer == 0 else masks
            states = self.between.output(layer, states, inputs, None if masks is None else masks[layer].unsqueeze(1))
            finals.append([torch.cat(part, dim=-1) for part in zip(*(final for _, final in ways), strict=True)])
        final = tuple(torch.stack(part, dim=1) for part in zip(*finals, strict=True))
        return Encoded(states * mask.unsqueeze(-1), mask, final[0][:, -1], final)

    def _run(
        self,
        rnn: nn.RNNBase,
        inputs: Float[Tensor, "B S I"],
        mask: Bool[Tensor, "B S"],
        last: Int[Tensor, " B"],
    ) -> tuple[Float[Tensor, "B S H"], tuple[Float[Tensor, "B H"], ...]]:
        """One direction of one layer: its outputs, and its state after the last real token."""
        rows = torch.arange(inputs.size(0), device=inputs.device)
        if self.cell != "lstm":
            outputs, _ = all_steps(rnn, inputs, (inputs.new_zeros(1, len(inputs), rnn.hidden_size),))
            return outputs, (outputs[rows, last],)
        outputs, cell = lstm_holding_on_padding(rnn, inputs, mask)
        return outputs, (outputs[rows, last], cell)


def lstm_holding_on_padding(
    lstm: nn.RNNBase, inputs: Float[Tensor, "B S I"], mask: Bool[Tensor, "B S"]
) -> tuple[Float[Tensor, "B S H"], Float[Tensor, "B H"]]:
    """Run an LSTM whose cell does not move on padding, so that its last cell is the one of the last real token.

    torch tells only the cell after the last column. One more input, 1 on padding, closes the input gate and opens the
    forget gate there; both saturate, so the cell passes through unchanged to the last bit.
    """
    w_ih, w_hh, b_ih, b_hh = cast(list[Tensor], lstm.all_weights[0])
    hold = w_ih.new_zeros(w_ih.size(0), 1)
    size = w_hh.size(1)
    hold[:size], hold[size : 2 * size] = -HOLD, HOLD
    padding = (~mask).unsqueeze(-1).to(inputs.dtype)
    zeros = inputs.new_zeros(1, inputs.size(0), size)
    outputs, _, cell = fused_lstm(
        torch.cat([inputs, padding], dim=-1),
        (zeros, zeros),
        [torch.cat([w_ih, hold], dim=1), w_hh, b_ih, b_hh],
        True,  # biases
        1,
        0.0,
        lstm.training,
        False,  # bidirectional
        True,  # batch first
    )
    return outputs, cell[0]
