"""Softmax attention that steps forward, steps back, and forms key, value and weight gradients once, over all steps."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from attnlab.kernels.additive import Gradients, Side, scratch, tiled_scores
from attnlab.kernels.denormals import without_denormals
from attnlab.kernels.steps.layers import Sizes
from attnlab.kernels.steps.projection import Projection


class Attending(ABC):
    """a = softmax(scale e) over the real tokens, c = sum_j a_j value_j; ``mask`` is ``[N, S]``."""

    def __init__(self, sizes: Sizes, values: Tensor, scale: float) -> None:
        self.sizes, self.scale = sizes, scale
        self.values = values.to(sizes.exact).contiguous()
        self.weights = self.room(values.size(1))
        self.contexts = self.room(values.size(2))

    def room(self, width: int) -> Tensor:
        return self.values.new_empty(self.sizes.steps, self.sizes.rows, width)

    @abstractmethod
    def step(self, t: int, query: Tensor) -> Tensor:
        """The context of a step, ``[N, V]``."""

    def start_back(self, grad_weights: Tensor | None) -> None:
        """``grad_weights`` is of what a loss puts on the weights themselves, ``[N, T, S]``."""
        self.grad_weights = grad_weights
        self.grad_contexts, self.grad_scores = torch.empty_like(self.contexts), torch.empty_like(self.weights)

    @abstractmethod
    def back(self, t: int, grad_context: Tensor) -> Tensor:
        """The gradient of the query, ``[N, Q]``; those of context and e are kept, of all steps."""

    @abstractmethod
    def gather(self, queries: Tensor) -> tuple[Tensor, ...]:
        """The gradients of keys, values and weights; ``queries`` are those of all steps, ``[T, N, Q]``."""

    def of_keys(self, queries: Tensor) -> Tensor:
        """The gradient of keys that meet the queries in a product."""
        return torch.bmm(self.grad_scores.permute(1, 2, 0), queries.transpose(0, 1))

    def of_values(self) -> Tensor:
        return torch.bmm(self.weights.permute(1, 2, 0), self.grad_contexts.transpose(0, 1))


class Plain(Attending):
    """By torch's operations."""

    def __init__(self, sizes: Sizes, values: Tensor, mask: Tensor, scale: float) -> None:
        super().__init__(sizes, values, scale)
        self.closed = torch.zeros_like(mask, dtype=sizes.exact).masked_fill_(~mask, float("-inf")).unsqueeze(1)

    @abstractmethod
    def scores(self, t: int, query: Tensor) -> Tensor:
        """scale e, minus infinity on padding: ``[N, 1, S]``."""

    def step(self, t: int, query: Tensor) -> Tensor:
        weights = self.weights[t].unsqueeze(1)
        weights.copy_(without_denormals(self.scores(t, query)).softmax(-1))
        torch.bmm(weights, self.values, out=self.contexts[t].unsqueeze(1))
        return self.contexts[t]

    @abstractmethod
    def back_scores(self, t: int, grad: Tensor) -> Tensor:
        """The gradient of the query, ``[N, Q]``, from that of e, ``[N, 1, S]``."""

    def back(self, t: int, grad_context: Tensor) -> Tensor:
        self.grad_contexts[t] = grad_context
        grad = torch.bmm(grad_context.unsqueeze(1), self.values.transpose(1, 2))
        if self.grad_weights is not None:
            grad += self.grad_weights[:, t].unsqueeze(1)
        weights = self.weights[t].unsqueeze(1)
        grad = (grad - (grad * weights).sum(-1, keepdim=True)).mul_(weights)
        self.grad_scores[t] = grad.mul_(self.scale).squeeze(1)
        return self.back_scores(t, grad)


class ProductAttention(Plain):
    """e = q^T key."""

    def __init__(self, sizes: Sizes, keys: Tensor, values: Tensor, mask: Tensor, scale: float) -> None:
        super().__init__(sizes, values, mask, scale)
        self.keys = keys.to(sizes.exact)

    def scores(self, t: int, query: Tensor) -> Tensor:
        return torch.baddbmm(self.closed, query.unsqueeze(1), self.keys.transpose(1, 2), alpha=self.scale)

    def back_scores(self, t: int, grad: Tensor) -> Tensor:
        return torch.bmm(grad, self.keys).squeeze(1)

    def gather(self, queries: Tensor) -> tuple[Tensor, ...]:
        return self.of_keys(queries), self.of_values()


class AdditiveAttention(Plain):
    """e = v^T tanh(W q + key)."""

    def __init__(
        self, sizes: Sizes, keys: Tensor, values: Tensor, mask: Tensor, scale: float, w: Tensor, v: Tensor
    ) -> None:
        super().__init__(sizes, values, mask, scale)
        self.keys, self.v = Side(keys.to(sizes.exact)), v.to(sizes.exact)
        self.projection = Projection(sizes, w)
        self.queries: list[Side] = []

    def scores(self, t: int, query: Tensor) -> Tensor:
        side = Side(self.projection.step(query).unsqueeze(1))
        if t == 0:
            self.buffer = scratch(side, self.keys)
        self.queries.append(side)
        scores = tiled_scores(side, self.keys, self.v, self.buffer, torch.empty_like(self.closed))
        return scores.mul_(self.scale).add_(self.closed)

    def start_back(self, grad_weights: Tensor | None) -> None:
        super().start_back(grad_weights)
        self.gradients = Gradients(self.keys, self.v)
        self.projection.start_back()

    def back_scores(self, t: int, grad: Tensor) -> Tensor:
        return self.projection.back(t, self.gradients.add(self.queries[t], grad, self.buffer).squeeze(1))

    def gather(self, queries: Tensor) -> tuple[Tensor, ...]:
        keys, v = self.gradients.total()
        return keys, self.of_values(), self.projection.gather(queries), v
