"""The elementwise part of recurrent cells on a GPU: one kernel a step forward, one back; see ``attnlab.kernels.cells``.

Rows may lie apart (a slice of a wider matrix); the numbers of a row lie together.
"""

from typing import Any, no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

from attnlab.kernels.gpu.parts import load_row, tanh

BLOCK = 256


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def _lstm_forward(gates, cell, hidden, new_cell, squashed, H, row_gates, row_cell, BLOCK: tl.constexpr):
    row, j = tl.program_id(1).to(tl.int64), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    i, f = tl.sigmoid(load_row(gates, row, row_gates, j, H)), tl.sigmoid(load_row(gates + H, row, row_gates, j, H))
    g, o = (
        tanh(load_row(gates + 2 * H, row, row_gates, j, H)),
        tl.sigmoid(load_row(gates + 3 * H, row, row_gates, j, H)),
    )
    c = f * load_row(cell, row, row_cell, j, H) + i * g
    s = tanh(c)
    place = gates + row * row_gates + j
    tl.store(place, i, mask=j < H)
    tl.store(place + H, f, mask=j < H)
    tl.store(place + 2 * H, g, mask=j < H)
    tl.store(place + 3 * H, o, mask=j < H)
    tl.store(new_cell + row * H + j, c, mask=j < H)
    tl.store(squashed + row * H + j, s, mask=j < H)
    tl.store(hidden + row * H + j, o * s, mask=j < H)


@triton.jit
@no_type_check
def _lstm_backward(
    active, cell, squashed, grad_hidden, grad_cell, out, grad_old,
    H, row_active, row_cell, row_hidden, row_grad_cell, row_out, BLOCK: tl.constexpr,
):  # fmt: skip
    row, j = tl.program_id(1).to(tl.int64), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    i, f = load_row(active, row, row_active, j, H), load_row(active + H, row, row_active, j, H)
    g, o = load_row(active + 2 * H, row, row_active, j, H), load_row(active + 3 * H, row, row_active, j, H)
    c, s = load_row(cell, row, row_cell, j, H), load_row(squashed, row, H, j, H)
    of_hidden = load_row(grad_hidden, row, row_hidden, j, H)
    of_cell = load_row(grad_cell, row, row_grad_cell, j, H) + of_hidden * o * (1 - s * s)
    place = out + row * row_out + j
    tl.store(place, of_cell * g * (i - i * i), mask=j < H)
    tl.store(place + H, of_cell * c * (f - f * f), mask=j < H)
    tl.store(place + 2 * H, of_cell * i * (1 - g * g), mask=j < H)
    tl.store(place + 3 * H, of_hidden * s * (o - o * o), mask=j < H)
    tl.store(grad_old + row * H + j, of_cell * f, mask=j < H)


@triton.jit
@no_type_check
def _gru_forward(
    inputs, recurrent, hidden, new, gates, n_kept, H, row_inputs, row_recurrent, row_hidden, BLOCK: tl.constexpr
):  # fmt: skip
    row, j = tl.program_id(1).to(tl.int64), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    r = tl.sigmoid(load_row(inputs, row, row_inputs, j, H) + load_row(recurrent, row, row_recurrent, j, H))
    z = tl.sigmoid(load_row(inputs + H, row, row_inputs, j, H) + load_row(recurrent + H, row, row_recurrent, j, H))
    h_n = load_row(recurrent + 2 * H, row, row_recurrent, j, H)
    n = tanh(load_row(inputs + 2 * H, row, row_inputs, j, H) + r * h_n)
    tl.store(gates + row * 2 * H + j, r, mask=j < H)
    tl.store(gates + row * 2 * H + H + j, z, mask=j < H)
    tl.store(n_kept + row * H + j, n, mask=j < H)
    tl.store(new + row * H + j, n + z * (load_row(hidden, row, row_hidden, j, H) - n), mask=j < H)


@triton.jit
@no_type_check
def _gru_backward(
    gates, n_kept, h_n, hidden, grad, inputs, recurrent, grad_old,
    H, row_h_n, row_hidden, row_grad, row_inputs, row_recurrent, BLOCK: tl.constexpr,
):  # fmt: skip
    row, j = tl.program_id(1).to(tl.int64), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    r, z = load_row(gates, row, 2 * H, j, H), load_row(gates + H, row, 2 * H, j, H)
    n, h = load_row(n_kept, row, H, j, H), load_row(hidden, row, row_hidden, j, H)
    g = load_row(grad, row, row_grad, j, H)
    d_n = g * (1 - z) * (1 - n * n)
    d_r, d_z = d_n * load_row(h_n, row, row_h_n, j, H) * (r - r * r), g * (h - n) * (z - z * z)
    for side in tl.static_range(2):
        place = inputs + row * row_inputs + j if side == 0 else recurrent + row * row_recurrent + j
        tl.store(place, d_r, mask=j < H)
        tl.store(place + H, d_z, mask=j < H)
        tl.store(place + 2 * H, d_n if side == 0 else d_n * r, mask=j < H)
    tl.store(grad_old + row * H + j, g * z, mask=j < H)


def serves(*tensors: Tensor) -> bool:
    """Matrices whose rows the kernels can read."""
    return all(x.dim() == 2 and x.stride(1) == 1 for x in tensors)


def _grid(rows: int, size: int) -> tuple[int, int]:
    return triton.cdiv(size, BLOCK), rows


def lstm_forward(gates: Tensor, cell: Tensor, out: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """The new hidden (to ``out``, if any) and cell state and its tanh; ``gates`` pass their sigmoids and tanh."""
    rows, size = cell.shape
    new_cell, squashed = (torch.empty_like(cell, memory_format=torch.contiguous_format) for _ in range(2))
    hidden = torch.empty_like(new_cell) if out is None else out
    _lstm_forward[_grid(rows, size)](
        gates, cell, hidden, new_cell, squashed, size, gates.stride(0), cell.stride(0), BLOCK=BLOCK
    )
    return hidden, new_cell, squashed


def lstm_backward(
    active: Tensor, cell: Tensor, squashed: Tensor, grad_hidden: Tensor, grad_cell: Tensor, out: Tensor
) -> Tensor:
    """The gradient of the old cell; that of the gate sums goes to ``out``."""
    rows, size = cell.shape
    of_old = torch.empty_like(cell, memory_format=torch.contiguous_format)
    _lstm_backward[_grid(rows, size)](
        active, cell, squashed, grad_hidden, grad_cell, out, of_old, size,
        active.stride(0), cell.stride(0), grad_hidden.stride(0), grad_cell.stride(0), out.stride(0), BLOCK=BLOCK,
    )  # fmt: skip
    return of_old


def gru_forward(inputs: Tensor, recurrent: Tensor, hidden: Tensor, out: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """The new state (to ``out``, if any); r and z; n."""
    rows, size = hidden.shape
    n = torch.empty_like(hidden, memory_format=torch.contiguous_format)
    new = torch.empty_like(n) if out is None else out
    gates = hidden.new_empty(rows, 2 * size)
    _gru_forward[_grid(rows, size)](
        inputs, recurrent, hidden, new, gates, n, size,
        inputs.stride(0), recurrent.stride(0), hidden.stride(0), BLOCK=BLOCK,
    )  # fmt: skip
    return new, gates, n


def gru_backward(kept: Any, grad: Tensor, inputs: Tensor, recurrent: Tensor) -> Tensor:
    """The gradient of the old state past the products; those of the two gate sums go to the last two arguments."""
    rows, size = kept.hidden.shape
    of_old = torch.empty_like(kept.hidden, memory_format=torch.contiguous_format)
    _gru_backward[_grid(rows, size)](
        kept.gates, kept.n, kept.h_n, kept.hidden, grad, inputs, recurrent, of_old, size,
        kept.h_n.stride(0), kept.hidden.stride(0), grad.stride(0), inputs.stride(0), recurrent.stride(0), BLOCK=BLOCK,
    )  # fmt: skip
    return of_old
