"""The elementwise part of recurrent cells, forward and hand-written backward in a few passes over memory.

A step loop calls these once a step; composed of single operations they would cost a dozen small kernels and as many
autograd nodes. The tests have the same equations written plainly.
Gate order is torch's: LSTM i, f, g, o; GRU r, z, n.

On a CPU torch's sigmoid is six times as fast as its tanh, and tanh(x) = 2 sigmoid(2x) - 1.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.gpu import kernels


def fast_tanh_(x: Float[Tensor, "*N"], out: Float[Tensor, "*N"] | None = None) -> Float[Tensor, "*N"]:
    """The tanh, in place or, at no cost, to ``out``; ``x`` is overwritten."""
    if x.is_cuda:
        return torch.tanh(x, out=x if out is None else out)
    return torch.sub(x.mul_(2).sigmoid_().mul_(2), 1, out=x if out is None else out)


class LstmKept(NamedTuple):
    """What an LSTM step keeps for its backward pass."""

    active: Tensor  #: the gates behind their sigmoids and tanh
    cell: Tensor  #: the old cell
    squashed: Tensor  #: tanh of the new cell


def lstm_forward(gates: Tensor, cell: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor, LstmKept]:
    """The new hidden (to ``out``, if any) and cell state; ``gates`` is overwritten."""
    gpu = kernels("cells", cell)
    if gpu is not None and gates.dtype == cell.dtype and gpu.serves(gates, cell):
        hidden, new_cell, squashed = gpu.lstm_forward(gates, cell, out)
        return hidden, new_cell, LstmKept(gates, cell, squashed)
    size = cell.size(-1)
    gates[..., : 2 * size].sigmoid_()
    fast_tanh_(gates[..., 2 * size : 3 * size])
    gates[..., 3 * size :].sigmoid_()
    i, f, g, o = gates.chunk(4, dim=-1)
    new_cell = torch.addcmul(f * cell, i, g)
    squashed = fast_tanh_(new_cell.clone())
    return torch.mul(o, squashed, out=out), new_cell, LstmKept(gates, cell, squashed)


def lstm_backward(kept: LstmKept, grad_hidden: Tensor, grad_cell: Tensor, out: Tensor) -> Tensor:
    """The gradient of the old cell; that of the gate sums goes to ``out``."""
    active, cell, squashed = kept
    gpu = kernels("cells", cell)
    if gpu is not None and gpu.serves(*kept, grad_hidden, grad_cell, out):
        of_old: Tensor = gpu.lstm_backward(*kept, grad_hidden, grad_cell, out)
        return of_old
    i, f, g, o = active.chunk(4, dim=-1)
    grad_cell = torch.addcmul(grad_cell, grad_hidden * o, 1 - squashed * squashed)
    d_i, d_f, d_g, d_o = out.chunk(4, dim=-1)
    torch.mul(grad_cell * g, torch.addcmul(i, i, i, value=-1), out=d_i)
    torch.mul(grad_cell * cell, torch.addcmul(f, f, f, value=-1), out=d_f)
    torch.mul(grad_cell * i, 1 - g * g, out=d_g)
    torch.mul(grad_hidden * squashed, torch.addcmul(o, o, o, value=-1), out=d_o)
    return grad_cell * f


class GruKept(NamedTuple):
    """What a GRU step keeps for its backward pass."""

    gates: Tensor  #: r and z
    n: Tensor
    h_n: Tensor
    hidden: Tensor  #: the old state


def gru_forward(inputs: Tensor, recurrent: Tensor, hidden: Tensor, out: Tensor | None = None) -> tuple[Tensor, GruKept]:
    """The new state, to ``out``, if any."""
    gpu = kernels("cells", hidden)
    if gpu is not None and inputs.dtype == recurrent.dtype == hidden.dtype and gpu.serves(inputs, recurrent, hidden):
        new, gates, n = gpu.gru_forward(inputs, recurrent, hidden, out)
        return new, GruKept(gates, n, recurrent[..., 2 * hidden.size(-1) :], hidden)
    size = hidden.size(-1)
    gates = (inputs[..., : 2 * size] + recurrent[..., : 2 * size]).sigmoid_()
    r, z = gates.chunk(2, dim=-1)
    h_n = recurrent[..., 2 * size :]
    n = fast_tanh_(torch.addcmul(inputs[..., 2 * size :], r, h_n))
    return torch.addcmul(n, z, hidden - n, out=out), GruKept(gates, n, h_n, hidden)


def gru_backward(kept: GruKept, grad: Tensor, inputs: Tensor, recurrent: Tensor) -> Tensor:
    """The gradient of the old state past the products; those of the two gate sums go to the last two arguments."""
    gates, n, h_n, hidden = kept
    gpu = kernels("cells", hidden)
    if gpu is not None and gpu.serves(*kept, grad, inputs, recurrent):
        of_old: Tensor = gpu.gru_backward(kept, grad, inputs, recurrent)
        return of_old
    r, z = gates.chunk(2, dim=-1)
    size = hidden.size(-1)
    d_r, d_z, d_n = inputs.chunk(3, dim=-1)
    torch.mul(grad * (1 - z), 1 - n * n, out=d_n)
    torch.mul(d_n * h_n, torch.addcmul(r, r, r, value=-1), out=d_r)
    torch.mul(grad * (hidden - n), torch.addcmul(z, z, z, value=-1), out=d_z)
    recurrent[..., : 2 * size] = inputs[..., : 2 * size]
    torch.mul(d_n, r, out=recurrent[..., 2 * size :])
    return grad * z


class LstmCell(Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        hidden, new_cell, kept = lstm_forward(gates.clone(), cell)
        ctx.save_for_backward(*kept)
        return hidden, new_cell

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor, grad_cell: Tensor) -> tuple[Tensor, Tensor]:
        kept = LstmKept(*ctx.saved_tensors)
        grad_gates = torch.empty_like(kept.active)
        grad_cell = lstm_backward(kept, grad_hidden, grad_cell, grad_gates)
        return grad_gates, grad_cell


class GruCell(Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, recurrent: Tensor, hidden: Tensor) -> Tensor:
        new_hidden, kept = gru_forward(inputs, recurrent, hidden)
        ctx.save_for_backward(*kept)
        return new_hidden

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kept = GruKept(*ctx.saved_tensors)
        grad_inputs = grad.new_empty(*grad.shape[:-1], 3 * grad.size(-1))
        grad_recurrent = torch.empty_like(grad_inputs)
        grad_hidden = gru_backward(kept, grad, grad_inputs, grad_recurrent)
        return grad_inputs, grad_recurrent, grad_hidden


def lstm_cell(
    gates: Float[Tensor, "N G"], cell: Float[Tensor, "N H"]
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
    """c' = f c + i g, h' = o tanh(c'), with i, f, o the sigmoids and g the tanh of the gate sums."""
    hidden, new_cell = LstmCell.apply(gates, cell)
    return hidden, new_cell


def gru_cell(
    inputs: Float[Tensor, "N G"], recurrent: Float[Tensor, "N G"], hidden: Float[Tensor, "N H"]
) -> Float[Tensor, "N H"]:
    """n = tanh(x_n + r h_n), h' = (1 - z) n + z h; ``inputs`` and ``recurrent`` are the two gate sums, biases in."""
    output: Tensor = GruCell.apply(inputs, recurrent, hidden)
    return output
