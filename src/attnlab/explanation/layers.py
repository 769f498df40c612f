r"""Attention through the layers that have mixed positions before they are looked at.

rollout   $r = a\, A_K \cdots A_1$: what reaches the look along all ways, each the product of its weights
flow      the most that can flow from the look to position j where every weight is the capacity of its edge

with a the attention and A_k = (W_k + I) / 2, where the rows of W_k are those of the self-attention of layer k, the mean
of its heads, divided by their sums, and I is the residual connection: Abnar and Zuidema 2020, "Quantifying attention
flow in Transformers", sections 3 and 4. Theirs is of encoders; here the look at the encoder's states is one more layer,
which has no residual connection.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow
from torch import Tensor

from attnlab.tasks.explaining import Instances

LONGEST = 60  #: positions of an instance whose flow is computed: it takes a network for every position
UNITS = 1 << 20  #: scipy's capacities are whole numbers: what a weight of 1 is


def residual(mixing: Float[Tensor, "N K S S"]) -> Float[Tensor, "N K S S"]:
    """Half of what a position has is its own."""
    rows = mixing / mixing.sum(-1, keepdim=True).clamp(min=torch.finfo(mixing.dtype).tiny)
    return (rows + torch.eye(mixing.size(-1)).to(mixing)) / 2


def rollout(instances: Instances, mixing: Float[Tensor, "N K S S"]) -> Float[Tensor, "N S"]:
    """What reaches the look from each position of the input."""
    found = instances.attention.unsqueeze(1)
    for layer in residual(mixing).flip(1).unbind(1):
        found = found @ layer
    return found.squeeze(1) * instances.mask


def flow(instances: Instances, mixing: Float[Tensor, "N K S S"]) -> Float[Tensor, "N S"]:
    """The maximum flow to the look from each position of the input; nan of an instance with too many of them."""
    layers, looks = residual(mixing).double().cpu().numpy(), instances.attention.double().cpu().numpy()
    found = instances.attention.new_zeros(instances.mask.shape)
    for row, length in enumerate(instances.lengths.tolist()):
        flows = most(looks[row, :length], layers[row, :, :length, :length]) if length <= LONGEST else np.nan
        found[row, :length] = torch.as_tensor(flows).to(found)
    return found


def most(look: NDArray[np.float64], layers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The maximum flow to a look from each of S positions, through K layers; the last of them is looked at.

    Nodes are the look, then the positions above the last layer, and so on down.
    """
    depth, size = layers.shape[:2]
    capacity = np.zeros((1 + (depth + 1) * size,) * 2, dtype=np.int32)
    capacity[0, 1 : 1 + size] = np.rint(UNITS * look)
    for k in range(depth):
        above, below = (slice(1 + n * size, 1 + (n + 1) * size) for n in (k, k + 1))
        capacity[above, below] = np.rint(UNITS * layers[depth - 1 - k])
    network, inputs = csr_array(capacity), range(1 + depth * size, 1 + (depth + 1) * size)
    return np.array([maximum_flow(network, 0, node).flow_value for node in inputs]) / UNITS
