"""The kernels' equations written plainly, everything at once; what the kernels are held against."""

import torch
from jaxtyping import Float
from torch import Tensor


def additive_scores_reference(
    query: Float[Tensor, "B T A"], keys: Float[Tensor, "B S A"], v: Float[Tensor, " A"]
) -> Float[Tensor, "B T S"]:
    """The equation as it stands, everything at once."""
    return torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1)) @ v


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
