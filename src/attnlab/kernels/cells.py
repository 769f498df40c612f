"""The elementwise part of recurrent cells, forward and hand-written backward in a few passes over memory.

A step loop calls these once a step; composed of single operations they would cost a dozen small kernels and as many
autograd nodes. The ``*_reference`` functions are the same equations written plainly; tests hold the two together.
Gate order is torch's: LSTM i, f, g, o; GRU r, z, n.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def lstm_cell_reference(
    gates: Float[Tensor, "N G"], cell: Float[Tensor, "N H"]
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
    """c' = f c + i g, h' = o tanh(c'), with i, f, o the sigmoids and g the tanh of the gate sums."""
    i, f, g, o = gates.chunk(4, dim=-1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def gru_cell_reference(
    inputs: Float[Tensor, "N G"], recurrent: Float[Tensor, "N G"], hidden: Float[Tensor, "N H"]
) -> Float[Tensor, "N H"]:
    """n = tanh(x_n + r h_n), h' = (1 - z) n + z h; ``inputs`` and ``recurrent`` are the two gate sums, biases in."""
    x_r, x_z, x_n = inputs.chunk(3, dim=-1)
    h_r, h_z, h_n = recurrent.chunk(3, dim=-1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + r * h_n).tanh()
    return n + z * (hidden - n)


class LstmCell(Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        size = cell.size(-1)
        active = torch.empty_like(gates)
        torch.sigmoid(gates[..., : 2 * size], out=active[..., : 2 * size])
        torch.tanh(gates[..., 2 * size : 3 * size], out=active[..., 2 * size : 3 * size])
        torch.sigmoid(gates[..., 3 * size :], out=active[..., 3 * size :])
        i, f, g, o = active.chunk(4, dim=-1)
        new_cell = torch.addcmul(f * cell, i, g)
        squashed = new_cell.tanh()
        ctx.save_for_backward(active, cell, squashed)
        return o * squashed, new_cell

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor, grad_cell: Tensor) -> tuple[Tensor, Tensor]:
        active, cell, squashed = ctx.saved_tensors
        i, f, g, o = active.chunk(4, dim=-1)
        grad_cell = torch.addcmul(grad_cell, grad_hidden * o, 1 - squashed * squashed)
        grad_gates = torch.empty_like(active)
        d_i, d_f, d_g, d_o = grad_gates.chunk(4, dim=-1)
        torch.mul(grad_cell * g, i * (1 - i), out=d_i)
        torch.mul(grad_cell * cell, f * (1 - f), out=d_f)
        torch.mul(grad_cell * i, 1 - g * g, out=d_g)
        torch.mul(grad_hidden * squashed, o * (1 - o), out=d_o)
        return grad_gates, grad_cell * f


class GruCell(Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, recurrent: Tensor, hidden: Tensor) -> Tensor:
        size = hidden.size(-1)
        gates = (inputs[..., : 2 * size] + recurrent[..., : 2 * size]).sigmoid_()
        r, z = gates.chunk(2, dim=-1)
        h_n = recurrent[..., 2 * size :]
        n = torch.addcmul(inputs[..., 2 * size :], r, h_n).tanh_()
        ctx.save_for_backward(gates, n, h_n, hidden)
        return torch.addcmul(n, z, hidden - n)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gates, n, h_n, hidden = ctx.saved_tensors
        r, z = gates.chunk(2, dim=-1)
        size = hidden.size(-1)
        grad_inputs = grad.new_empty(*grad.shape[:-1], 3 * size)
        d_r, d_z, d_n = grad_inputs.chunk(3, dim=-1)
        torch.mul(grad * (1 - z), 1 - n * n, out=d_n)
        torch.mul(d_n * h_n, r * (1 - r), out=d_r)
        torch.mul(grad * (hidden - n), z * (1 - z), out=d_z)
        grad_recurrent = torch.cat([grad_inputs[..., : 2 * size], d_n * r], dim=-1)
        return grad_inputs, grad_recurrent, grad * z


def lstm_cell(
    gates: Float[Tensor, "N G"], cell: Float[Tensor, "N H"]
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
    """See ``lstm_cell_reference``."""
    hidden, new_cell = LstmCell.apply(gates, cell)
    return hidden, new_cell


def gru_cell(
    inputs: Float[Tensor, "N G"], recurrent: Float[Tensor, "N G"], hidden: Float[Tensor, "N H"]
) -> Float[Tensor, "N H"]:
    """See ``gru_cell_reference``."""
    output: Tensor = GruCell.apply(inputs, recurrent, hidden)
    return output
