"""The projection W q of a query that steps forward and back, as an additive score has it."""

from torch import Tensor

from attnlab.kernels.products import Product, gathered
from attnlab.kernels.steps.layers import Sizes


class Projection:
    """``w`` is ``[A, Q]``."""

    def __init__(self, sizes: Sizes, w: Tensor) -> None:
        self.sizes, self.w = sizes, w.to(sizes.product)
        self.product = Product(self.w, sizes.rows, sizes.exact)

    def step(self, query: Tensor) -> Tensor:
        return self.product(query)

    def start_back(self) -> None:
        self.transposed = Product(self.w.t(), self.sizes.rows, self.sizes.exact)
        self.grads = self.w.new_empty(self.sizes.steps, self.sizes.rows, self.w.size(0))

    def back(self, t: int, grad: Tensor) -> Tensor:
        """The gradient of the query from that of its projection."""
        self.grads[t] = grad
        return self.transposed(self.grads[t])

    def gather(self, queries: Tensor) -> Tensor:
        """The gradient of W; ``queries`` are those of all steps, ``[T, N, Q]``."""
        return gathered(self.grads, queries.to(self.grads.dtype))
