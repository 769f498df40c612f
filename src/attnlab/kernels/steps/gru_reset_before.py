"""The GRU layer that resets the state before its product; see ``attnlab.layers.gru_reset_before`` for the equations."""

import torch
from torch import Tensor

from attnlab.kernels.cells import fast_tanh_
from attnlab.kernels.products import gathered
from attnlab.kernels.steps.layers import Layer, Sizes, Weights


class GruResetBefore(Layer):
    """n = tanh(x_n + U (r * h)): a product for the gates, and one of what they let through."""

    def __init__(self, sizes: Sizes, known: Tensor | None, weights: Weights, first: tuple[Tensor, ...]) -> None:
        super().__init__(sizes, known, weights, first)
        self.gates = self.known_sums(weights.b_ih + weights.b_hh)
        self.w_x, w_h = weights.w_ih[:, self.inside :].to(sizes.product), weights.w_hh.to(sizes.product)
        self.w_h, self.w_n = w_h[: 2 * self.size], w_h[2 * self.size :]
        self.forward_h, self.forward_n = self.product(self.w_h), self.product(self.w_n)
        self.forward_x = self.product(self.w_x) if self.extra else None
        self.extras, self.previous, self.reset = self.room(self.extra), self.room(self.size), self.room(self.size)
        self.kept: list[tuple[Tensor, Tensor, Tensor]] = []  # r and z; n; the old state

    def step(self, t: int, extra: Tensor | None, previous: Tensor) -> Tensor:
        sums, size = self.gates[t], self.size
        if extra is not None and self.forward_x is not None:
            self.extras[t] = extra
            sums = self.forward_x(self.extras[t], sums)
        self.previous[t] = previous
        gates = self.forward_h(self.previous[t], sums[:, : 2 * size].contiguous()).sigmoid_()
        r, z = gates.chunk(2, dim=-1)
        self.reset[t] = r * previous
        n = fast_tanh_(self.forward_n(self.reset[t], sums[:, 2 * size :].contiguous()))
        self.kept.append((gates, n, previous))
        return torch.addcmul(n, z, previous - n, out=self.hidden[t + 1])

    def start_back(self, grad_final: tuple[Tensor | None, ...]) -> None:
        self.backward_h, self.backward_n = self.product(self.w_h.t()), self.product(self.w_n.t())
        self.backward_x = self.product(self.w_x.t()) if self.extra else None
        self.grads = self.room(3 * self.size)

    def back(self, t: int, grad: Tensor) -> tuple[Tensor, Tensor]:
        gates, n, previous = self.kept[t]
        r, z = gates.chunk(2, dim=-1)
        grads, size = self.grads[t], self.size
        grads[:, 2 * size :] = grad * (1 - z) * (1 - n * n)
        through = self.backward_n(grads[:, 2 * size :].contiguous())  # the gradient of r * h
        grads[:, :size] = through * previous * torch.addcmul(r, r, r, value=-1)
        grads[:, size : 2 * size] = grad * (previous - n) * torch.addcmul(z, z, z, value=-1)
        direct = torch.addcmul(grad * z, through, r)
        grad_previous = self.backward_h(grads[:, : 2 * size].contiguous(), direct)
        empty = grad_previous[:, :0]
        return empty if self.backward_x is None else self.backward_x(grads), grad_previous

    def gather(self) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        known, w_ih = self.of_inputs(self.grads, self.extras if self.extra else None)
        w_hh, size = torch.empty_like(self.weights.w_hh), self.size
        gathered(self.grads[..., : 2 * size], self.previous, out=w_hh[: 2 * size])
        gathered(self.grads[..., 2 * size :], self.reset, out=w_hh[2 * size :])
        bias = self.grads.sum((0, 1), dtype=self.sizes.exact)
        return known, w_ih, w_hh, bias, bias
