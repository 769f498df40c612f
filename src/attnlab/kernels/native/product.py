"""A product with one weight by search.c, as ``kernels.products.Product`` is one by oneDNN."""

import ctypes

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.kernels.native import library as native
from attnlab.kernels.native.library import code, panels, plain


class Product:
    """x W^T for many x, in float32.

    Args:
        weight: W.
        of: the compiled code.
    """

    def __init__(self, weight: Float[Tensor, "O I"], of: ctypes.CDLL) -> None:
        self.code, self.panels, self.sizes = of, panels(weight.detach(), of), tuple(weight.shape)

    @staticmethod
    def of(weight: Float[Tensor, "O I"]) -> "Product | None":
        """With one thread, as torch's products use all; None where it is not to be used."""
        floats = weight.dtype == torch.float32 and weight.device.type == "cpu"
        known = code() if floats and torch.get_num_threads() == 1 else None
        return None if known is None else Product(weight, known)

    def __call__(self, x: Float[Tensor, "N I"], addend: Float[Tensor, "N O"]) -> Float[Tensor, "N O"]:
        """``addend`` + x W^T."""
        return self.onto(addend.clone(memory_format=torch.contiguous_format), x, None)

    def biased(self, x: Float[Tensor, "N I"], bias: Float[Tensor, " O"] | None) -> Float[Tensor, "N O"]:
        """x W^T + bias."""
        return self._into(x.new_empty(x.size(0), self.sizes[0]), x, bias, onto=False)

    def onto(
        self, total: Float[Tensor, "N O"], x: Float[Tensor, "N I"], bias: Float[Tensor, " O"] | None
    ) -> Float[Tensor, "N O"]:
        """``total`` + x W^T + bias, which takes the place of ``total``."""
        return self._into(total if total.is_contiguous() else total.contiguous(), x, bias, onto=True)

    def _into(self, to: Tensor, x: Tensor, bias: Tensor | None, onto: bool) -> Tensor:
        x = x.contiguous()
        bias = None if bias is None else bias.contiguous()
        if not plain(x, to, *([] if bias is None else [bias])) or (x.size(1), to.size(1)) != self.sizes[::-1]:
            raise ValueError(f"{tuple(x.shape)} times {self.sizes} into {tuple(to.shape)}, of float32: they do not fit")
        asked = native.Product(self.panels.data_ptr(), None if bias is None else bias.data_ptr(), *self.sizes)
        self.code.attnlab_product(ctypes.byref(asked), x.data_ptr(), x.size(0), to.data_ptr(), onto)
        return to
