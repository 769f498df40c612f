"""A stack of one-directional recurrent layers that runs whole (one fused call) or step by step, on one set of weights.

States are tuples of ``[N, L, H]`` tensors, the row axis first as everywhere: (hidden,) or, for an LSTM, (hidden, cell).
"""

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.kernels.cells import gru_cell, lstm_cell
from attnlab.kernels.packed_linear import PackedLinear
from attnlab.kernels.steps.alone import run_layer
from attnlab.layers.gru_reset_before import GruResetBefore, reset_before_cell, reset_before_steps
from attnlab.layers.stacking import PLAIN, Between, Stacking
from attnlab.private.torch import fused_lstm

Cell = Literal["lstm", "gru", "gru_reset_before", "rnn"]
State = tuple[Tensor, ...]
FUNCTIONS: dict[str, Any] = {"LSTM": fused_lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}
RNNS: dict[str, Callable[..., nn.RNNBase]] = {
    "lstm": nn.LSTM, "gru": nn.GRU, "gru_reset_before": GruResetBefore, "rnn": nn.RNN
}  # fmt: skip


def all_steps(rnn: nn.RNNBase, inputs: Float[Tensor, "N T I"], first: State) -> tuple[Tensor, ...]:
    """Outputs and last state of one direction, as ``rnn`` computes them; states ``[L, N, H]``.

    Not by calling it: on a GPU it would move weights that have been exchanged (``attnlab.models.graphs``).
    """
    if isinstance(rnn, GruResetBefore):
        return reset_before_steps(rnn, inputs, first[0])
    weights = [weight for layer in rnn.all_weights for weight in layer]
    state = first if rnn.mode == "LSTM" else first[0]
    settings = rnn.bias, rnn.num_layers, rnn.dropout, rnn.training, False, True
    found: tuple[Tensor, ...] = FUNCTIONS[rnn.mode](inputs, state, weights, *settings)
    return found


def one_layer(
    rnn: nn.RNNBase, weights: tuple[Tensor, ...], inputs: Float[Tensor, "N T I"], first: State
) -> tuple[Tensor, ...]:
    """As ``all_steps``, of one of its layers."""
    if isinstance(rnn, GruResetBefore):
        outputs = run_layer("gru_reset_before", inputs, first[0][0], *weights)
        return outputs, outputs[:, -1].unsqueeze(0)
    state = first if rnn.mode == "LSTM" else first[0]
    found: tuple[Tensor, ...] = FUNCTIONS[rnn.mode](inputs, state, weights, True, 1, 0.0, rnn.training, False, True)
    return found


class Recurrent(nn.Module):
    """LSTM, GRU or Elman (tanh) layers.

    Args:
        cell: which equations; those of torch.nn.LSTM, GRU and RNN, or the papers' GRU (``gru_reset_before``).
        input_dim: size of the input that is known for all steps beforehand.
        hidden_dim, layers: size and number of the layers.
        dropout: between layers, as in torch.
        extra_dim: size of a further input that only the step before can tell (a context, an attentional vector); it
            stands behind the known input. With one, the stack can only run step by step.
        stacking: what else stands between the layers.

    Raises:
        ConfigError: something of it has no place.
    """

    def __init__(
        self,
        cell: Cell,
        input_dim: int,
        hidden_dim: int,
        layers: int = 1,
        dropout: float = 0.0,
        extra_dim: int = 0,
        stacking: Stacking = PLAIN,
    ) -> None:
        super().__init__()
        self.cell, self.input_dim, self.hidden_dim, self.layers = cell, input_dim, hidden_dim, layers
        self.extra_dim = extra_dim
        self.rnn = RNNS[cell](
            input_dim + extra_dim,
            hidden_dim,
            layers,
            batch_first=True,
            dropout=dropout if layers > 1 else 0.0,  # torch warns where there is no layer to drop between
        )
        self.parts = 2 if cell == "lstm" else 1
        self.between = Between(stacking, hidden_dim, layers, dropout)

    @property
    def plain(self) -> bool:
        """Whether nothing but dropout stands between the layers, so that fused kernels of the whole stack may run."""
        return self.between.plain

    def forward(self, inputs: Float[Tensor, "N T I"], state: State) -> tuple[Float[Tensor, "N T H"], State]:
        """All steps in one fused call, or in one for each layer where more stands between them than dropout."""
        if not self.plain:
            return self._layer_by_layer(inputs, state)
        first = tuple(part.transpose(0, 1).contiguous() for part in state)  # [L, N, H], as torch has it
        outputs, *last = all_steps(self.rnn, inputs, first)
        return outputs, tuple(part.transpose(0, 1) for part in last)

    def _layer_by_layer(self, inputs: Float[Tensor, "N T I"], state: State) -> tuple[Float[Tensor, "N T H"], State]:
        read, masks, last = inputs, None, []
        for layer in range(self.layers):
            first = tuple(part[:, layer].unsqueeze(0).contiguous() for part in state)
            states, *final = one_layer(self.rnn, self.weights(layer), read, first)
            masks = self.between.masks(len(states), states) if layer == 0 else masks
            output = self.between.output(layer, states, read, None if masks is None else masks[layer].unsqueeze(1))
            last.append(tuple(part[0] for part in final))
            read = output if layer == self.layers - 1 else self.between.handed_on(layer, output)
        return read, join_layers(last)

    def weights(self, layer: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """W_ih, W_hh, b_ih, b_hh of a layer."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return cast(tuple[Tensor, Tensor, Tensor, Tensor], tuple(getattr(self.rnn, f"{n}_l{layer}") for n in names))

    def unroll(self) -> "Unrolled":
        """Weights laid out for stepping; make it once a pass or a search, not once a step."""
        return Unrolled(self)


class Unrolled:
    """The stack, ready to be stepped."""

    def __init__(self, stack: Recurrent) -> None:
        self.cell, self.layers = stack.cell, stack.layers
        self.between = stack.between
        self.masks: Tensor | None = None  # of this pass
        w_ih, _, b_ih, b_hh = stack.weights(0)
        # A GRU's recurrent bias sits inside r * (...), so it cannot move to the input side.
        bias = b_ih if self.cell == "gru" else b_ih + b_hh
        self.known = PackedLinear(w_ih[:, : stack.input_dim], bias) if stack.input_dim else None
        kinds = {"gru": self._gru, "gru_reset_before": self._gru_reset_before}
        self.steps = [kinds.get(self.cell, self._additive)(stack, layer) for layer in range(stack.layers)]

    def hoist(self, inputs: Float[Tensor, "N T I"]) -> Float[Tensor, "N T G"]:
        """The first layer's input gates of all steps, in one product."""
        assert self.known is not None, "a stack without an input that is known beforehand has nothing to hoist"
        return self.known(inputs)

    def __call__(
        self, gates: Float[Tensor, "N G"] | None, extra: Float[Tensor, "N X"] | None, state: list[State]
    ) -> tuple[Float[Tensor, "N H"], list[State]]:
        """One step: hoisted gates of the known input (None where there is none), the extra input, the states."""
        between = self.between
        output, new_state = self.steps[0](gates, extra, state[0])
        if self.masks is None:
            self.masks = between.masks(len(output), output)
        states, output = [new_state], between.output(0, output, output, None if self.masks is None else self.masks[0])
        for layer in range(1, self.layers):
            read = between.handed_on(layer - 1, output)
            output, new_state = self.steps[layer](None, read, state[layer])
            output = between.output(layer, output, read, None if self.masks is None else self.masks[layer])
            states.append(new_state)
        return output, states

    def _additive(self, stack: Recurrent, layer: int) -> Callable[..., tuple[Tensor, State]]:
        """LSTM and Elman: all gate sums add up, so [extra; h] meets [W_x, W_h] in one product."""
        w_ih, w_hh, b_ih, b_hh = stack.weights(layer)
        known = stack.input_dim if layer == 0 else 0
        joint = PackedLinear(torch.cat([w_ih[:, known:], w_hh], dim=1), None if known else b_ih + b_hh)

        def step(gates: Tensor | None, extra: Tensor | None, state: State) -> tuple[Tensor, State]:
            inputs = state[0] if extra is None else torch.cat([extra, state[0]], dim=-1)
            total = joint(inputs) if gates is None else joint.added(inputs, gates)
            if stack.cell == "rnn":
                hidden = total.tanh()
                return hidden, (hidden,)
            hidden, cell = lstm_cell(total, state[1])
            return hidden, (hidden, cell)

        return step

    def _gru(self, stack: Recurrent, layer: int) -> Callable[..., tuple[Tensor, State]]:
        w_ih, w_hh, b_ih, b_hh = stack.weights(layer)
        sums, w_h = self._input_sums(stack, layer, w_ih, b_ih), PackedLinear(w_hh, b_hh)

        def step(gates: Tensor | None, extra: Tensor | None, state: State) -> tuple[Tensor, State]:
            hidden = gru_cell(sums(gates, extra), w_h(state[0]), state[0])
            return hidden, (hidden,)

        return step

    def _gru_reset_before(self, stack: Recurrent, layer: int) -> Callable[..., tuple[Tensor, State]]:
        w_ih, w_hh, b_ih, b_hh = stack.weights(layer)
        sums, size = self._input_sums(stack, layer, w_ih, b_ih + b_hh), w_hh.size(1)
        w_gates, w_n = PackedLinear(w_hh[: 2 * size]), PackedLinear(w_hh[2 * size :])

        def step(gates: Tensor | None, extra: Tensor | None, state: State) -> tuple[Tensor, State]:
            hidden = reset_before_cell(sums(gates, extra), state[0], w_gates, w_n)
            return hidden, (hidden,)

        return step

    @staticmethod
    def _input_sums(stack: Recurrent, layer: int, w_ih: Tensor, bias: Tensor) -> Callable[..., Tensor]:
        """The gate sums of the input, from those of the known part (with its bias) and from the rest."""
        further = w_ih[:, stack.input_dim if layer == 0 else 0 :]
        w_x = PackedLinear(further, bias) if further.size(1) else None

        def sums(gates: Tensor | None, extra: Tensor | None) -> Tensor:
            if extra is None or w_x is None:
                return cast(Tensor, gates)
            return w_x(extra) if gates is None else w_x.added(extra, gates)

        return sums


def split_layers(state: State) -> list[State]:
    """``[N, L, H]`` parts to one tuple of ``[N, H]`` a layer."""
    return [tuple(part[:, layer] for part in state) for layer in range(state[0].size(1))]


def join_layers(states: list[State]) -> State:
    """The inverse of ``split_layers``."""
    return tuple(torch.stack(part, dim=1) for part in zip(*states, strict=True))
