"""The same steps as ``attnlab.kernels.steps.attention`` takes, by one GPU kernel each way."""

from typing import Any

import torch
from torch import Tensor

from attnlab.kernels.gpu import kernels
from attnlab.kernels.steps.attention import Attending
from attnlab.kernels.steps.layers import Sizes
from attnlab.kernels.steps.projection import Projection


class GpuAttention(Attending):
    """Softmax attention by a product or, with W and v, an additive score."""

    def __init__(
        self,
        gpu: Any,
        sizes: Sizes,
        keys: Tensor,
        values: Tensor,
        mask: Tensor,
        scale: float,
        w: Tensor | None = None,
        v: Tensor | None = None,
    ) -> None:
        super().__init__(sizes, values, scale)
        self.gpu, self.mask = gpu, mask.contiguous()
        self.keys = keys.to(sizes.exact).contiguous()
        self.v = None if v is None else v.to(sizes.exact).contiguous()
        self.projection = None if w is None else Projection(sizes, w)
        if w is not None:
            self.projected = self.room(w.size(0))

    def step(self, t: int, query: Tensor) -> Tensor:
        if self.projection is not None:
            self.projected[t] = self.projection.step(query)
            query = self.projected[t]
        given = self.keys, self.v, self.values, self.mask, self.scale
        self.gpu.forward(query, *given, self.weights[t], self.contexts[t])
        return self.contexts[t]

    def start_back(self, grad_weights: Tensor | None) -> None:
        super().start_back(grad_weights)
        if self.projection is not None:
            self.projection.start_back()

    def back(self, t: int, grad_context: Tensor) -> Tensor:
        self.grad_contexts[t] = grad_context
        query = self.keys[:, 0] if self.projection is None else self.projected[t]  # of a product it is not read
        of_weights = None if self.grad_weights is None else self.grad_weights[:, t]
        kept = self.scale, self.weights[t], self.grad_contexts[t], of_weights, self.grad_scores[t]
        grad: Tensor = self.gpu.backward(query, self.keys, self.v, self.values, *kept)
        return grad if self.projection is None else self.projection.back(t, grad)

    def gather(self, queries: Tensor) -> tuple[Tensor, ...]:
        if self.projection is None:
            return self.of_keys(queries), self.of_values()
        additive = kernels("additive", self.keys)
        own, other = additive.prepare(self.keys), additive.prepare(self.projected.transpose(0, 1))
        keys, v = additive.gradient(own, other, self.v, self.grad_scores.transpose(0, 1).contiguous(), sum_v=True)
        return keys, self.of_values(), self.projection.gather(queries), v


def gpu_attention(sizes: Sizes, keys: Tensor, values: Tensor, *rest: Any) -> GpuAttention | None:
    """Where the kernels serve these tensors; ``rest`` as ``GpuAttention`` has it."""
    gpu = kernels("attention", values)
    if gpu is None or sizes.exact != torch.float32 or values.size(1) > gpu.LONGEST:
        return None
    return GpuAttention(gpu, sizes, keys, values, *rest)
