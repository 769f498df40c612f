"""A linear layer for stepping: the same small product again and again with one weight.

oneDNN and MKL rearrange a weight for every product. In a search the product is small (a row a hypothesis) and the
weight large (a row a word of the vocabulary), so the rearranging is a good part of the time; here it is done once: a
large weight in the layout of oneDNN, a small one transposed. Off the CPU, in another precision and where gradients are
wanted, the layer is applied as it is. Where a compiler has been found, with one thread, the product is our own
(:mod:`attnlab.kernels.native`).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.kernels.native import product as native
from attnlab.kernels.products import Product, packable

ROWS = 64  #: the weight is laid out for products of about so many rows, and right for any number
LARGE = 2**17  #: numbers in a weight that oneDNN is for: calling it takes 10 us more than calling MKL


class PackedLinear:
    """``F.linear`` with a weight that is laid out once: make it anew when the weight has changed."""

    def __init__(self, weight: Float[Tensor, "O I"], bias: Float[Tensor, " O"] | None = None) -> None:
        self.weight, self.bias = weight, bias
        self.packed: Product | native.Product | None = None
        self.turned: Float[Tensor, "I O"] | None = None
        self.laid_out = gains(weight)
        if self.laid_out and (compiled := native.Product.of(weight)) is not None:
            self.packed = compiled
        elif self.laid_out:
            large = weight.numel() >= LARGE and bool(torch.backends.mkldnn.enabled) and packable(weight)
            self.packed = Product(weight, ROWS, weight.dtype) if large else None
            self.turned = None if large else weight.t().contiguous()

    def __call__(self, inputs: Float[Tensor, "*N I"]) -> Float[Tensor, "*N O"]:
        if self._apart(inputs):
            return F.linear(inputs, self.weight, self.bias)
        if inputs.dim() != 2:
            return self(inputs.flatten(0, -2)).unflatten(0, inputs.shape[:-1])
        if self.packed is not None:
            return self.packed.biased(inputs, self.bias)
        assert self.turned is not None
        return torch.mm(inputs, self.turned) if self.bias is None else torch.addmm(self.bias, inputs, self.turned)

    def added(self, inputs: Float[Tensor, "N I"], addend: Float[Tensor, "N O"]) -> Float[Tensor, "N O"]:
        """``addend`` in place of the bias."""
        if self._apart(inputs):
            return torch.addmm(addend, inputs, self.weight.t())
        if self.packed is not None:
            return self.packed(inputs, addend.contiguous())
        assert self.turned is not None
        return torch.addmm(addend, inputs, self.turned)

    def onto(self, total: Float[Tensor, "N O"], inputs: Float[Tensor, "N I"]) -> Float[Tensor, "N O"]:
        """``total`` + x W^T + b, which may take the place of ``total``."""
        apart = self._apart(inputs)
        if self.packed is not None and not apart:
            return self.packed.onto(total, inputs, self.bias)
        total = total if self.bias is None else total.add_(self.bias)
        return total.addmm_(inputs, self.weight.t() if apart or self.turned is None else self.turned)

    def _apart(self, inputs: Tensor) -> bool:
        return not self.laid_out or inputs.dtype != torch.float32 or torch.is_grad_enabled()


class HalfLinear:
    """The same with the operands in bfloat16, sums in float32, and results that are rounded to bfloat16 (8 bits) again.

    Where a processor multiplies bfloat16 (AVX-512 BF16, AMX) it takes about half the time.
    """

    def __init__(self, weight: Float[Tensor, "O I"], bias: Float[Tensor, " O"] | None = None) -> None:
        self.product, self.bias = Product(weight.to(torch.bfloat16), ROWS, weight.dtype), bias

    def __call__(self, inputs: Float[Tensor, "N I"]) -> Float[Tensor, "N O"]:
        return self.product(inputs, self.bias)


def gains(weight: Tensor) -> bool:
    """Whether the product is float32 throughout, on a CPU and without gradients."""
    plain = weight.dtype == torch.float32 and weight.device.type == "cpu"
    return plain and not torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
