"""A linear layer for stepping: the same small product again and again with one weight.

oneDNN and MKL rearrange a weight for every product. In a search the product is small (a row a hypothesis) and the
weight large (a row a word of the vocabulary), so the rearranging is a good part of the time; here it is done once. The
operators are those that torch's compiler uses for frozen weights; where torch lacks them, off the CPU, in another
precision and where gradients are wanted, the layer is applied as it is.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

ROWS = 64  #: the weight is laid out for products of about so many rows, and right for any number


class PackedLinear:
    """``F.linear`` with the weight of a layer, laid out once: make it anew when the weight has changed."""

    def __init__(self, layer: nn.Linear) -> None:
        self.weight, self.bias = layer.weight, layer.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight, ROWS) if packable(self.weight) else None

    def __call__(self, inputs: Float[Tensor, "N I"]) -> Float[Tensor, "N O"]:
        if self.packed is None or inputs.dtype != torch.float32 or torch.is_grad_enabled():
            return F.linear(inputs, self.weight, self.bias)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self.packed, self.bias, "none", [], "")
        return product


def packable(weight: Tensor) -> bool:
    """Whether oneDNN can lay the weight out and the product is float32 throughout."""
    plain = weight.device.type == "cpu" and weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and not torch.is_grad_enabled() and bool(torch.backends.mkldnn.enabled) and _has_operators()


def _has_operators() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
