"""Recurrent layers that step forward, step back, and form their weight gradients once, over all steps.

A layer is made of the tensors of one pass, time axis first. ``step`` takes what only the step before can tell (the
``extra`` input, the hidden state); ``back`` takes the gradient of the hidden state of a step, from the last step to the
first; ``gather`` gives the gradients of what the layer was made of.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from attnlab.kernels.cells import GruKept, LstmKept, fast_tanh_, gru_backward, gru_forward, lstm_backward, lstm_forward
from attnlab.kernels.products import Product, gathered


class Sizes(NamedTuple):
    """Of one pass, and the types it computes in."""

    steps: int
    rows: int
    product: torch.dtype  #: of the operands of products
    exact: torch.dtype  #: of all else


class Weights(NamedTuple):
    """Of a layer, as torch lays them out; the columns of the extra input stand behind those of the known one."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor


class Layer(ABC):
    """One layer, of whose input the part ``known`` ``[T, N, I]`` is there for all steps beforehand.

    ``first`` is the state before the first step: hidden, and the cell of an LSTM.
    """

    def __init__(self, sizes: Sizes, known: Tensor | None, weights: Weights, first: tuple[Tensor, ...]) -> None:
        self.sizes, self.weights = sizes, weights
        self.known = None if known is None else known.to(sizes.product)
        self.inside = 0 if known is None else known.size(-1)
        self.size, self.extra = weights.w_hh.size(1), weights.w_ih.size(1) - self.inside
        #: states before the first step and after each
        self.hidden = first[0].new_empty(sizes.steps + 1, sizes.rows, self.size, dtype=sizes.exact)
        self.hidden[0] = first[0]

    @abstractmethod
    def step(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        """The new hidden state."""

    def final(self) -> tuple[Tensor, ...]:
        """The state after the last step."""
        return (self.hidden[-1].clone(),)

    @abstractmethod
    def start_back(self, grad_final: tuple[Tensor | None, ...]) -> None:
        """Before the first ``back``; of the final state, the gradient of the hidden part goes to ``back``."""

    @abstractmethod
    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of ``extra`` and ``previous``."""

    def first_cell(self) -> tuple[Tensor, ...]:
        """The gradient of the first state beyond the hidden part."""
        return ()

    @abstractmethod
    def gather(self) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        """The gradients of ``known`` and of the weights."""

    def known_sums(self, bias: Tensor) -> Tensor:
        """What the known input and the biases add to the gate sums, for all steps: ``[T, N, G]``."""
        bias = bias.to(self.sizes.exact)
        if self.known is None:
            return bias.expand(self.sizes.steps, self.sizes.rows, -1).contiguous()
        w = self.weights.w_ih[:, : self.inside].to(self.known.dtype)
        if self.known.dtype == bias.dtype:
            return F.linear(self.known, w, bias)
        return F.linear(self.known, w).to(bias.dtype).add_(bias)

    def product(self, matrix: Tensor) -> Product:
        return Product(matrix, self.sizes.rows, self.sizes.exact)

    def room(self, width: int) -> Tensor:
        """For something of every step that goes into a product."""
        return self.hidden.new_empty(self.sizes.steps, self.sizes.rows, width, dtype=self.sizes.product)

    def of_inputs(self, grads: Tensor, extras: Tensor | None) -> tuple[Tensor | None, Tensor]:
        """The gradients of ``known`` and W_ih from those of the gate sums."""
        w_ih, known = torch.empty_like(self.weights.w_ih), None
        if self.known is not None:
            gathered(grads, self.known, out=w_ih[:, : self.inside])
            known = grads @ self.weights.w_ih[:, : self.inside].to(grads.dtype)
        if extras is not None:
            gathered(grads, extras, out=w_ih[:, self.inside :])
        return known, w_ih


class Additive(Layer):
    """LSTM and Elman layers, whose gate sums all add up: [extra; h] meets [W_x, W_h] in one product."""

    def __init__(self, sizes: Sizes, known: Tensor | None, weights: Weights, first: tuple[Tensor, ...]) -> None:
        super().__init__(sizes, known, weights, first)
        self.gates = self.known_sums(weights.b_ih + weights.b_hh)
        self.matrix = torch.cat([weights.w_ih[:, self.inside :], weights.w_hh], dim=1).to(sizes.product)
        self.forward = self.product(self.matrix)
        self.inputs = self.room(self.extra + self.size)

    def sums(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        """The gate sums of a step."""
        inputs = self.inputs[t]
        if extra is not None:
            inputs[:, : self.extra] = extra
        inputs[:, self.extra :] = previous
        return self.forward(inputs, self.gates[t])

    def start_back(self, grad_final: tuple[Tensor | None, ...]) -> None:
        self.backward = self.product(self.matrix.t())
        self.grads = self.room(self.matrix.size(0))

    def split(self, t: int) -> tuple[Tensor, Tensor]:
        grads = self.backward(self.grads[t])
        return grads[:, : self.extra], grads[:, self.extra :]

    def gather(self) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        known, w_ih = self.of_inputs(self.grads, self.inputs[..., : self.extra] if self.extra else None)
        w_hh = gathered(self.grads, self.inputs[..., self.extra :])
        bias = self.grads.sum((0, 1), dtype=self.sizes.exact)
        return known, w_ih, w_hh, bias, bias


class Elman(Additive):
    """h' = tanh(sums)."""

    def step(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        return fast_tanh_(self.sums(t, extra, previous), self.hidden[t + 1])

    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        self.grads[t] = torch.ops.aten.tanh_backward(grad, self.hidden[t + 1])
        return self.split(t)


class Lstm(Additive):
    """The cell stays inside."""

    def __init__(self, sizes: Sizes, known: Tensor | None, weights: Weights, first: tuple[Tensor, ...]) -> None:
        super().__init__(sizes, known, weights, first)
        self.cell = first[1].to(sizes.exact)
        self.kept: list[LstmKept] = []

    def step(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        hidden, self.cell, kept = lstm_forward(self.sums(t, extra, previous), self.cell, self.hidden[t + 1])
        self.kept.append(kept)
        return hidden

    def final(self) -> tuple[Tensor, ...]:
        return self.hidden[-1].clone(), self.cell

    def start_back(self, grad_final: tuple[Tensor | None, ...]) -> None:
        super().start_back(grad_final)
        given = grad_final[1]
        self.grad_cell = torch.zeros_like(self.cell) if given is None else given.to(self.cell.dtype)

    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        self.grad_cell = lstm_backward(self.kept[t], grad, self.grad_cell, self.grads[t])
        return self.split(t)

    def first_cell(self) -> tuple[Tensor, ...]:
        return (self.grad_cell,)


class Gru(Layer):
    """W_hh h + b_hh meets the reset gate apart from the inputs, so the two sums stay apart."""

    def __init__(self, sizes: Sizes, known: Tensor | None, weights: Weights, first: tuple[Tensor, ...]) -> None:
        super().__init__(sizes, known, weights, first)
        self.gates = self.known_sums(weights.b_ih)
        self.w_x, self.w_h = weights.w_ih[:, self.inside :].to(sizes.product), weights.w_hh.to(sizes.product)
        self.forward_h = self.product(self.w_h)
        self.forward_x = self.product(self.w_x) if self.extra else None
        self.extras, self.previous = self.room(self.extra), self.room(self.size)
        self.b_hh = weights.b_hh.to(sizes.exact).expand(sizes.rows, -1).contiguous()
        self.kept: list[GruKept] = []

    def step(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        sums = self.gates[t]
        if extra is not None and self.forward_x is not None:
            self.extras[t] = extra
            sums = self.forward_x(self.extras[t], sums)
        self.previous[t] = previous
        recurrent = self.forward_h(self.previous[t], self.b_hh)
        hidden, kept = gru_forward(sums, recurrent, previous, self.hidden[t + 1])
        self.kept.append(kept)
        return hidden

    def start_back(self, grad_final: tuple[Tensor | None, ...]) -> None:
        self.backward_h = self.product(self.w_h.t())
        self.backward_x = self.product(self.w_x.t()) if self.extra else None
        self.grads, self.recurrent_grads = self.room(3 * self.size), self.room(3 * self.size)

    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        grad_previous = gru_backward(self.kept[t], grad, self.grads[t], self.recurrent_grads[t])
        grad_previous = self.backward_h(self.recurrent_grads[t], grad_previous)
        empty = grad_previous[:, :0]
        return empty if self.backward_x is None else self.backward_x(self.grads[t]), grad_previous

    def gather(self) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        known, w_ih = self.of_inputs(self.grads, self.extras if self.extra else None)
        w_hh = gathered(self.recurrent_grads, self.previous)
        b_ih, b_hh = (grads.sum((0, 1), dtype=self.sizes.exact) for grads in (self.grads, self.recurrent_grads))
        return known, w_ih, w_hh, b_ih, b_hh
