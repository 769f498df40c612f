"""What the kernels share."""

from typing import no_type_check

import torch
import triton
import triton.language as tl

#: Whether machine instructions can be told by name: not to the interpreter, and not to another maker's GPU.
NVIDIA = not triton.knobs.runtime.interpret and torch.version.hip is None


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def load(start, rows, columns, count, width):
    """A float32 tile of a row-major matrix ``[count, width]``, zeros outside it."""
    inside = (rows < count)[:, None] & (columns < width)[None, :]
    return tl.load(start + rows[:, None] * width + columns[None, :], mask=inside, other=0.0).to(tl.float32)


@triton.jit
@no_type_check
def load_row(start, row, stride, columns, width):
    """A part of a row in float32, zeros outside it; rows lie ``stride`` apart."""
    return tl.load(start + row * stride + columns, mask=columns < width, other=0.0).to(tl.float32)


@triton.jit
@no_type_check
def inverse(x, APPROXIMATE: tl.constexpr):
    """1 / x by one instruction, exact to a bit of float32."""
    if APPROXIMATE:
        return tl.inline_asm_elementwise(
            "rcp.approx.ftz.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1
        )
    return 1.0 / x


@triton.jit
@no_type_check
def tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1
