"""A linear layer for stepping: the same small product again and again with one weight.

oneDNN and MKL rearrange a weight for every product. In a search the product is small (a row a hypothesis) and the
weight large (a row a word of the vocabulary), so the rearranging is a good part of the time; here it is done once.
Where torch lacks the operators, off the CPU, in another precision and where gradients are wanted, the layer is applied
as it is.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.kernels.products import Product, packable

ROWS = 64  #: the weight is laid out for products of about so many rows, and right for any number
LEAST = 2**17  #: numbers in a weight that is worth it: calling oneDNN takes 10 us more than calling MKL


class PackedLinear:
    """``F.linear`` with a weight that is laid out once: make it anew when the weight has changed."""

    def __init__(self, weight: Float[Tensor, "O I"], bias: Float[Tensor, " O"] | None = None) -> None:
        self.weight, self.bias = weight, bias
        self.packed = Product(weight, ROWS, weight.dtype) if gains(weight) else None

    def __call__(self, inputs: Float[Tensor, "*N I"]) -> Float[Tensor, "*N O"]:
        if self._apart(inputs):
            return F.linear(inputs, self.weight, self.bias)
        assert self.packed is not None
        return self.packed.biased(inputs.flatten(0, -2), self.bias).unflatten(0, inputs.shape[:-1])

    def added(self, inputs: Float[Tensor, "N I"], addend: Float[Tensor, "N O"]) -> Float[Tensor, "N O"]:
        """``addend`` in place of the bias."""
        if self._apart(inputs):
            return torch.addmm(addend, inputs, self.weight.t())
        assert self.packed is not None
        return self.packed(inputs, addend.contiguous())

    def onto(self, total: Float[Tensor, "N O"], inputs: Float[Tensor, "N I"]) -> Float[Tensor, "N O"]:
        """``total`` + x W^T + b, which may take the place of ``total``."""
        if self._apart(inputs):
            return (total if self.bias is None else total.add_(self.bias)).addmm_(inputs, self.weight.t())
        assert self.packed is not None
        return self.packed.onto(total, inputs, self.bias)

    def _apart(self, inputs: Tensor) -> bool:
        return self.packed is None or inputs.dtype != torch.float32 or torch.is_grad_enabled()


def gains(weight: Tensor) -> bool:
    """Whether the weight can be laid out and the product is float32 throughout, without gradients."""
    plain = weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
    large = weight.numel() >= LEAST and bool(torch.backends.mkldnn.enabled)
    return plain and large and packable(weight)
