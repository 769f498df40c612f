"""The attentional vector f = tanh(W_c [c; h]) that steps forward and back (Luong et al. 2015, equation (5))."""

import torch
from torch import Tensor

from attnlab.kernels.cells import fast_tanh_
from attnlab.kernels.products import Product, gathered
from attnlab.kernels.steps.layers import Sizes


class TanhReadout:
    """``context`` columns of W_c stand before those of the state."""

    def __init__(self, sizes: Sizes, w: Tensor, context: int) -> None:
        self.sizes, self.context, self.w = sizes, context, w.to(sizes.product)
        self.product = Product(self.w, sizes.rows, sizes.exact)
        self.inputs = self.w.new_empty(sizes.steps, sizes.rows, w.size(1))
        self.features = self.w.new_empty(sizes.steps, sizes.rows, w.size(0), dtype=sizes.exact)

    def step(self, t: int, context: Tensor, state: Tensor) -> Tensor:
        inputs = self.inputs[t]
        inputs[:, : self.context], inputs[:, self.context :] = context, state
        return fast_tanh_(self.product(inputs), self.features[t])

    def start_back(self) -> None:
        self.transposed = Product(self.w.t(), self.sizes.rows, self.sizes.exact)
        self.grads = torch.empty_like(self.features, dtype=self.w.dtype)

    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        """The gradients of context and state."""
        self.grads[t] = torch.ops.aten.tanh_backward(grad, self.features[t])
        grads = self.transposed(self.grads[t])
        return grads[:, : self.context], grads[:, self.context :]

    def gather(self) -> Tensor:
        return gathered(self.grads, self.inputs)
