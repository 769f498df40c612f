r"""The GRU of the papers on translation: it resets the state before the recurrent product, torch's resets the product.

    r = sigma(W_r x + U_r h),  z = sigma(W_z x + U_z h),  n = tanh(W x + U (r * h)),  h' = (1 - z) n + z h

Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
section 2.3, equations (5) to (8); Bahdanau et al. 2015, appendix A.1.1, with 1 - z for z. torch.nn.GRU has
n = tanh(W x + r * (U h + b)), which takes one product a step instead of two.
"""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.kernels.steps.alone import run_layer


class GruResetBefore(nn.GRU):
    """The weights of torch.nn.GRU in these equations; both biases are added outside the products."""

    def forward(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("call all_steps(rnn, inputs, first): the equations are not those of torch.nn.GRU")


def reset_before_steps(
    rnn: nn.RNNBase, inputs: Float[Tensor, "N T I"], first: Float[Tensor, "L N H"]
) -> tuple[Float[Tensor, "N T H"], Float[Tensor, "L N H"]]:
    """All steps of all layers, each layer a node of autograd with a backward pass written by hand."""
    last = []
    for layer, state in enumerate(first):
        if layer and rnn.dropout:
            inputs = F.dropout(inputs, rnn.dropout, rnn.training)
        inputs = run_layer("gru_reset_before", inputs, state, *cast(list[Tensor], rnn.all_weights[layer]))
        last.append(inputs[:, -1])
    return inputs, torch.stack(last)


def reset_before_cell(
    inputs: Float[Tensor, "N G"], hidden: Float[Tensor, "N H"], gates: Any, candidate: Any
) -> Float[Tensor, "N H"]:
    """One step in autograd: ``inputs`` are the input's gate sums with the biases, r, z and n; ``gates`` and
    ``candidate`` multiply by the two parts of the recurrent matrix and add.
    """
    size = hidden.size(-1)
    r, z = gates.added(hidden, inputs[..., : 2 * size]).sigmoid().chunk(2, dim=-1)
    n = candidate.added(r * hidden, inputs[..., 2 * size :]).tanh()
    return n + z * (hidden - n)
