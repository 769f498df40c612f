"""A recurrent layer by itself, all of whose input is known beforehand, as one autograd node."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.steps.layers import Sizes, Weights
from attnlab.kernels.steps.stack import LAYERS


class LayerFunction(Function):
    """A ``Layer`` with a hidden state alone, for autograd."""

    @staticmethod
    def forward(ctx: Any, cell: str, *tensors: Tensor) -> Tensor:
        inputs, first, *weights = tensors
        own, device = weights[0].dtype, inputs.device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else own
        sizes = Sizes(inputs.size(1), inputs.size(0), low, torch.promote_types(own, torch.float32))
        with torch.autocast(device, enabled=False):
            layer = LAYERS[cell](sizes, inputs.transpose(0, 1).contiguous(), Weights(*weights), (first,))
            for t in range(sizes.steps):
                layer.step(t, None, layer.hidden[t])
        ctx.layer = layer
        ctx.save_for_backward(*tensors)
        return layer.hidden[1:].transpose(0, 1).to(own)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        tensors, layer = ctx.saved_tensors, ctx.layer
        with torch.autocast(grad.device.type, enabled=False):
            layer.start_back(())
            grad = grad.to(layer.sizes.exact)
            carried = torch.zeros_like(grad[:, 0])
            for t in reversed(range(layer.sizes.steps)):
                _, carried = layer.back(t, grad[:, t] + carried)
            known, *weights = layer.gather()
        found = known.transpose(0, 1), carried, *weights
        return None, *(part.to(x.dtype) for part, x in zip(found, tensors, strict=True))


def run_layer(
    cell: str, inputs: Float[Tensor, "N T I"], first: Float[Tensor, "N H"], *weights: Tensor
) -> Float[Tensor, "N T H"]:
    """The hidden states of all steps; ``weights`` are W_ih, W_hh, b_ih, b_hh."""
    states: Tensor = LayerFunction.apply(cell, inputs, first, *weights)
    return states
