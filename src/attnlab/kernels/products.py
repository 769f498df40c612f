"""A product with one weight that is asked for at every step of a loop: laid out for the machine once, used often.

oneDNN's own blocked layout of a weight makes products with a batch of few rows about a quarter faster than those with
a plain matrix (float32, 80 rows), and more in bfloat16. torch has the layout for its compiled and frozen models; where
it is missing, a product is a plain one.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from attnlab.private.torch import linear_pointwise, reorder_linear_weight, reorders_bfloat16


def packable(weight: Tensor) -> bool:
    """Whether oneDNN has a layout of its own for the weight, and torch the operators that use it."""
    if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
        return False
    if not torch.backends.mkldnn.is_available() or linear_pointwise is None:
        return False
    return weight.dtype == torch.float32 or reorders_bfloat16()


def wide_mm(left: Float[Tensor, "N I"], right: Float[Tensor, "I O"], result: torch.dtype) -> Float[Tensor, "N O"]:
    """left right in another type; a GPU sums up in float32 anyway and need not round to the operands' type first."""
    if left.is_cuda and result == torch.float32 and left.dtype in (torch.bfloat16, torch.float16):
        wide: Tensor = torch.mm(left, right, out_dtype=result)
        return wide
    return torch.mm(left, right).to(result)


class Product:
    """x W^T for many x, in the type of ``weight``; results in ``result`` (float32 for half precision)."""

    def __init__(self, weight: Float[Tensor, "O I"], rows: int, result: torch.dtype) -> None:
        self.weight, self.result = weight, result
        self.packed = reorder_linear_weight(weight.contiguous(), rows) if packable(weight) else None

    def __call__(self, x: Float[Tensor, "N I"], addend: Float[Tensor, "*N O"] | None = None) -> Float[Tensor, "N O"]:
        """``addend`` + x W^T."""
        x = x.to(self.weight.dtype)
        if self.weight.dtype != self.result:
            plain = self.packed is None
            product = wide_mm(x, self.weight.t(), self.result) if plain else self.biased(x, None).to(self.result)
            return product if addend is None else product.add_(addend)
        if addend is None:
            return self.biased(x, None)
        if self.packed is None or addend.dim() < 2:
            return torch.addmm(addend, x, self.weight.t())
        return linear_pointwise.binary(x, addend, self.packed, None, "add")

    def onto(
        self, total: Float[Tensor, "N O"], x: Float[Tensor, "N I"], bias: Float[Tensor, " O"] | None
    ) -> Float[Tensor, "N O"]:
        """``total`` + x W^T + bias, in the type of the weight, which has to be laid out."""
        product: Tensor = linear_pointwise.binary(x, total, self.packed, bias, "add")
        return product

    def biased(self, x: Float[Tensor, "N I"], bias: Float[Tensor, " O"] | None) -> Float[Tensor, "N O"]:
        """x W^T + bias, in the type of the weight."""
        if self.packed is None:
            return F.linear(x, self.weight, bias)
        product: Tensor = linear_pointwise(x, self.packed, bias, "none", [], "")
        return product


def gathered(
    grads: Float[Tensor, "*M O"], inputs: Float[Tensor, "*M I"], out: Float[Tensor, "O I"] | None = None
) -> Float[Tensor, "O I"]:
    """The weight gradient of a linear layer over all steps, as one product: sum over the rows of grad^T input."""
    left, right = grads.flatten(0, -2).t(), inputs.flatten(0, -2)
    if out is None or out.dtype == left.dtype:
        return torch.mm(left, right, out=out)
    return out.copy_(wide_mm(left, right, out.dtype))
