"""Whole decoder loops as one autograd node each, with hand-written backpropagation through the steps.

Autograd through a loop does a small weight-gradient product a step and a node an operation. Here the loop runs back by
hand, and the gradients of weights, keys and values are one product each over all steps. The plain loops of the
decoders are the reference.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.steps.attention import AdditiveAttention, Attending, ProductAttention
from attnlab.kernels.steps.attention_gpu import gpu_attention
from attnlab.kernels.steps.layers import Sizes, Weights
from attnlab.kernels.steps.readout import TanhReadout
from attnlab.kernels.steps.stack import LAYERS, Stack


class Plan(NamedTuple):
    """What a loop is, apart from its tensors."""

    kind: type["Loop"]
    cell: str
    layers: int
    parts: int  #: tensors in the state of a layer
    dropout: float  #: between layers


class Looked(NamedTuple):
    """What is looked at and how."""

    keys: Tensor  #: ``[N, S, K]``
    values: Tensor  #: ``[N, S, V]``
    mask: Tensor  #: ``[N, S]``
    scale: float  #: of the scores, inside the softmax
    score: tuple[Tensor, ...]  #: W and v of an additive score; none of a product


class Loop(ABC):
    """One pass over all steps; ``known`` is ``[N, T, I]``, ``rest`` the subclass's own tensors.

    The gradients that ``back`` gives are those of known, keys, values, W and v of an additive score, and ``rest``.
    """

    def __init__(self, plan: Plan, sizes: Sizes, known: Tensor, looked: Looked, rest: Sequence[Tensor]) -> None:
        self.plan, self.sizes = plan, sizes
        self.known = known.transpose(0, 1).contiguous()
        common = sizes, *looked[:4]
        plain = AdditiveAttention if looked.score else ProductAttention
        self.attention: Attending = gpu_attention(*common, *looked.score) or plain(*common, *looked.score)
        self.build(rest)

    @abstractmethod
    def build(self, rest: Sequence[Tensor]) -> None: ...

    @abstractmethod
    def run(self) -> tuple[Tensor, ...]:
        """The outputs, batch axis first: what the subclass says, and the state after the last step."""

    @abstractmethod
    def back(self, *grads: Tensor | None) -> list[Tensor | None]: ...

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
        cell = LAYERS[self.plan.cell]
        self.first = cell(self.sizes, self.known, Weights(*rest[:4]), (rest[8],))
        self.second = cell(self.sizes, None, Weights(*rest[4:8]), (rest[8],))

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
    """A ``Loop`` for autograd; ``kept`` are mask and scale."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, kept: tuple[Tensor, float], scores: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        known, keys, values, *rest = tensors
        own, device = rest[scores].dtype, known.device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else own
        sizes = Sizes(known.size(1), known.size(0), low, torch.promote_types(own, torch.float32))
        # Autocast would choose a type for each operation; the loop has chosen.
        with torch.autocast(device, enabled=False):
            looked = Looked(keys, values, *kept, tuple(rest[:scores]))
            ctx.loop = plan.kind(plan, sizes, known, looked, rest[scores:])
            outputs = ctx.loop.run()
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return tuple(output.to(own) for output in outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors  # raises where one was changed in place since
        with torch.autocast(tensors[0].device.type, enabled=False):
            known, *others = ctx.loop.back(*grads)
        found = (known.transpose(0, 1), *others)
        return None, None, None, *(grad.to(x.dtype) for grad, x in zip(found, tensors, strict=True))


def run_loop(plan: Plan, known: Tensor, looked: Looked, *rest: Tensor) -> tuple[Tensor, ...]:
    """The outputs of ``plan.kind``; ``known`` are the inputs of all steps, ``[N, T, I]``."""
    keys, values, mask, scale, score = looked
    outputs: tuple[Tensor, ...] = LoopFunction.apply(
        plan, (mask, scale), len(score), known, keys, values, *score, *rest
    )
    return outputs
