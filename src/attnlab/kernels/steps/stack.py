"""Layers above each other, with dropout between them, stepped together."""

import torch
from torch import Tensor
from torch.nn import functional as F

from attnlab.kernels.steps.gru_reset_before import GruResetBefore
from attnlab.kernels.steps.layers import Elman, Gru, Layer, Lstm, Sizes, Weights

LAYERS: dict[str, type[Layer]] = {"lstm": Lstm, "gru": Gru, "gru_reset_before": GruResetBefore, "rnn": Elman}


class Stack:
    """See ``Layer``; ``first`` has one tuple a layer."""

    def __init__(
        self,
        cell: str,
        sizes: Sizes,
        known: Tensor,
        weights: list[Weights],
        first: list[tuple[Tensor, ...]],
        dropout: float,
    ) -> None:
        made = LAYERS[cell]
        self.layers = [
            made(sizes, known if n == 0 else None, w, f) for n, (w, f) in enumerate(zip(weights, first, strict=True))
        ]
        self.dropout = dropout
        self.masks: list[list[Tensor]] = []

    @property
    def hidden(self) -> Tensor:
        """Of the highest layer, before the first step and after each: ``[T + 1, N, H]``."""
        return self.layers[-1].hidden

    def step(self, t: int, extra: Tensor) -> Tensor:
        output = self.layers[0].step(t, extra, self.layers[0].hidden[t])
        masks = []
        for layer in self.layers[1:]:
            if self.dropout:
                masks.append(F.dropout(torch.ones_like(output), self.dropout))
                output = output * masks[-1]
            output = layer.step(t, output, layer.hidden[t])
        self.masks.append(masks)
        return output

    def final(self) -> list[tuple[Tensor, ...]]:
        return [layer.final() for layer in self.layers]

    def start_back(self, grad_final: list[tuple[Tensor | None, ...]]) -> None:
        self.carried = []
        for layer, grads in zip(self.layers, grad_final, strict=True):
            layer.start_back(grads)
            zero = torch.zeros_like(layer.hidden[0])
            self.carried.append(zero if grads[0] is None else grads[0].to(zero.dtype))

    def back(self, t: int, grad: Tensor) -> Tensor:
        """The gradient of ``extra``; ``grad`` is that of the output of the step."""
        for n in reversed(range(len(self.layers))):
            grad, self.carried[n] = self.layers[n].back(t, self.carried[n] + grad)
            if n and self.dropout:
                grad = grad * self.masks[t][n - 1]
        return grad

    def gather(self) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """The gradients of ``known``, of the weights of all layers and of their first states."""
        known, weights, first = None, [], []
        for n, layer in enumerate(self.layers):
            of_known, *of_weights = layer.gather()
            known = of_known if n == 0 else known
            weights += of_weights
            first += [self.carried[n], *layer.first_cell()]
        return known, weights, first
