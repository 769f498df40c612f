"""Whole decoder loops as one autograd node each, with hand-written backpropagation through the steps.

Autograd through a loop does a small weight-gradient product a step and a node an operation. Here the loop runs back by
hand, and the gradients of weights, keys and values are one product each over all steps. The plain loops of the
decoders are the reference.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.steps.attention import AdditiveAttention, Attending, ProductAttention
from attnlab.kernels.steps.layers import Gru, Sizes, Weights
from attnlab.kernels.steps.readout import TanhReadout
from attnlab.kernels.steps.stack import Stack


class Plan(NamedTuple):
    """What a loop is, apart from its tensors."""

    kind: type["Loop"]
    cell: str
    layers: int
    parts: int  #: tensors in the state of a layer
    dropout: float  #: between layers
    scale: float  #: of the scores, inside the softmax
    mask: Tensor  #: ``[N, S]``


class Looked(NamedTuple):
    """What is looked at and how: keys and values, and for an additive score its W and v."""

    keys: Tensor
    values: Tensor
    score: tuple[Tensor, ...] = ()


class Loop:
    """One pass. ``tensors`` are: known inputs ``[N, T, I]``, keys, values, score weights, the rest by the subclass."""

    def __init__(self, plan: Plan, sizes: Sizes, known: Tensor, looked: Looked, rest: Sequence[Tensor]) -> None:
        self.plan, self.sizes = plan, sizes
        self.known = known.transpose(0, 1).contiguous()
        common = sizes, looked.keys, looked.values, plan.mask, plan.scale
        self.attention: Attending = (
            AdditiveAttention(*common, *looked.score) if looked.score else ProductAttention(*common)
        )
        self.build(rest)

    def build(self, rest: Sequence[Tensor]) -> None:
        raise NotImplementedError

    def run(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def back(self, *grads: Tensor | None) -> list[Tensor | None]:
        raise NotImplementedError

    def stack(self, rest: Sequence[Tensor]) -> Stack:
        """From the weights of all layers, then their first states."""
        plan, count = self.plan, 4 * self.plan.layers
        weights = [Weights(*rest[n : n + 4]) for n in range(0, count, 4)]
        states = [tuple(rest[n : n + plan.parts]) for n in range(count, count + plan.layers * plan.parts, plan.parts)]
        return Stack(plan.cell, self.sizes, self.known, weights, states, plan.dropout)

    def by_layer(self, grads: Sequence[Tensor | None]) -> list[tuple[Tensor | None, ...]]:
        return [tuple(grads[n : n + self.plan.parts]) for n in range(0, len(grads), self.plan.parts)]

    def of_step(self, grads: Tensor | None, like: Tensor) -> Tensor:
        """Gradients of all steps, batch first, in the loop's type; zeros where nothing was asked."""
        return torch.zeros_like(like).transpose(0, 1) if grads is None else grads.to(like.dtype)


class InputFeeding(Loop):
    """h_t = RNN([y_t; f_{t-1}], h_{t-1}); c_t = attention(h_t); f_t = tanh(W_c [c_t; h_t])."""

    def build(self, rest: Sequence[Tensor]) -> None:
        w_c, self.feed, *layers = rest
        self.recurrent = self.stack(layers)
        self.readout = TanhReadout(self.sizes, w_c, self.attention.values.size(2))

    def run(self) -> tuple[Tensor, ...]:
        feed = self.feed.to(self.sizes.exact)
        for t in range(self.sizes.steps):
            hidden = self.recurrent.step(t, feed)
            feed = self.readout.step(t, self.attention.step(t, hidden), hidden)
        states = [part for layer in self.recurrent.final() for part in layer]
        return self.readout.features.transpose(0, 1), self.attention.weights.transpose(0, 1), *states

    def back(self, *grads: Tensor | None) -> list[Tensor | None]:
        features, weights, *states = grads
        given = self.of_step(features, self.readout.features)
        self.attention.start_back(weights)
        self.readout.start_back()
        self.recurrent.start_back(self.by_layer(states))
        feed = torch.zeros_like(given[:, 0])
        for t in reversed(range(self.sizes.steps)):
            of_context, of_hidden = self.readout.back(t, given[:, t] + feed)
            feed = self.recurrent.back(t, self.attention.back(t, of_context) + of_hidden)
        known, layer_weights, first = self.recurrent.gather()
        attention = self.attention.gather(self.recurrent.hidden[1:])
        return [known, *attention, self.readout.gather(), feed, *layer_weights, *first]


class AttendFirst(Loop):
    """c_t = attention(h_{t-1}); h_t = RNN([y_t; c_t], h_{t-1})."""

    def build(self, rest: Sequence[Tensor]) -> None:
        self.recurrent = self.stack(rest)

    def run(self) -> tuple[Tensor, ...]:
        for t in range(self.sizes.steps):
            self.recurrent.step(t, self.attention.step(t, self.recurrent.hidden[t]))
        states = [part for layer in self.recurrent.final() for part in layer]
        outputs = self.recurrent.hidden, self.attention.contexts, self.attention.weights
        return *(part.transpose(0, 1) for part in outputs), *states

    def back(self, *grads: Tensor | None) -> list[Tensor | None]:
        hidden, contexts, weights, *states = grads
        of_hidden = self.of_step(hidden, self.recurrent.hidden)
        of_contexts = self.of_step(contexts, self.attention.contexts)
        self.attention.start_back(weights)
        self.recurrent.start_back(self.by_layer(states))
        query = torch.zeros_like(of_hidden[:, 0])
        for t in reversed(range(self.sizes.steps)):
            of_context = self.recurrent.back(t, of_hidden[:, t + 1] + query) + of_contexts[:, t]
            query = self.attention.back(t, of_context)
        self.recurrent.carried[-1] += query + of_hidden[:, 0]
        known, layer_weights, first = self.recurrent.gather()
        return [known, *self.attention.gather(self.recurrent.hidden[:-1]), *layer_weights, *first]


class Between(Loop):
    """h'_t = GRU_1(y_t, h_{t-1}); c_t = attention(h'_t); h_t = GRU_2(c_t, h'_t)."""

    def build(self, rest: Sequence[Tensor]) -> None:
        self.first = Gru(self.sizes, self.known, Weights(*rest[:4]), (rest[8],))
        self.second = Gru(self.sizes, None, Weights(*rest[4:8]), (rest[8],))

    def run(self) -> tuple[Tensor, ...]:
        for t in range(self.sizes.steps):
            between = self.first.step(t, None, self.second.hidden[t])
            self.second.step(t, self.attention.step(t, between), between)
        hidden = self.second.hidden
        outputs = hidden[1:], self.attention.contexts, self.attention.weights
        return *(part.transpose(0, 1) for part in outputs), hidden[-1].clone()

    def back(self, *grads: Tensor | None) -> list[Tensor | None]:
        hidden, contexts, weights, final = grads
        of_hidden = self.of_step(hidden, self.second.hidden[1:])
        of_contexts = self.of_step(contexts, self.attention.contexts)
        self.attention.start_back(weights)
        for layer in (self.first, self.second):
            layer.start_back(())
        carried = torch.zeros_like(of_hidden[:, 0]) if final is None else final.to(of_hidden.dtype)
        for t in reversed(range(self.sizes.steps)):
            of_context, between = self.second.back(t, of_hidden[:, t] + carried)
            between = between + self.attention.back(t, of_context + of_contexts[:, t])
            _, carried = self.first.back(t, between)
        known, *first = self.first.gather()
        _, *second = self.second.gather()
        return [known, *self.attention.gather(self.first.hidden[1:]), *first, *second, carried]


class LoopFunction(Function):
    """A ``Loop`` for autograd."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, score_weights: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        known, keys, values, *rest = tensors
        device, given = known.device.type, values.dtype if known.dtype != torch.float64 else known.dtype
        exact = torch.promote_types(rest[-1].dtype, torch.float32)
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else rest[0].dtype
        sizes = Sizes(known.size(1), known.size(0), low, exact)
        del given
        # Autocast would choose for each operation; the loop has chosen.
        with torch.autocast(device, enabled=False):
            looked = Looked(keys, values, tuple(rest[:score_weights]))
            loop = plan.kind(plan, sizes, known, looked, rest[score_weights:])
            outputs = loop.run()
        ctx.loop = loop
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors  # raises where one was changed in place
        with torch.autocast(tensors[0].device.type, enabled=False):
            found = ctx.loop.back(*grads)
        found[0] = found[0].transpose(0, 1)
        return None, None, *(g if g is None else g.to(x.dtype) for g, x in zip(found, tensors, strict=True))


def run_loop(plan: Plan, known: Tensor, looked: Looked, *rest: Tensor) -> tuple[Tensor, ...]:
    """The outputs of ``plan.kind`` for inputs that are known beforehand, ``[N, T, I]``."""
    outputs: tuple[Tensor, ...] = LoopFunction.apply(
        plan, len(looked.score), known, looked.keys, looked.values, *looked.score, *rest
    )
    return outputs
