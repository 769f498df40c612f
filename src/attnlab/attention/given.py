"""A mechanism asked with other weights than its own, or watched while it uses its own.

    c_i = sum_j a'_ij value_j      a' in the place of a, whatever score, window and normalizer would say

Within these contexts the window is another one, so everything that attends (decoders, poolings, layers) does so by the
plain path, and nothing of a mechanism has to know of it. Outside of them nothing is changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Attention, Normalizer, Score, Window, WindowOutput
from attnlab.attention.multi_head import Heads
from attnlab.errors import ConfigError
from attnlab.types import History, Memory

Weights = Float[Tensor, "N L S"]  #: of L looks, each a head of a query: L = H * T


class Around(Window):
    """A window as it was; who derives from this does something before or behind it."""

    def __init__(self, window: Window) -> None:
        super().__init__(window.query_dim, window.key_dim)
        self.window, self.reads_length = window, window.reads_length
        self.needs_history, self.counts_only = window.needs_history, window.counts_only

    def initial_state(self, memory: Memory) -> Any:
        return self.window.initial_state(memory)

    def memory(self, states: Float[Tensor, "B S V"]) -> Any:
        return self.window.memory(states)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B #T S"]:
        seen: Tensor = self.window(query, memory, history)
        return seen


AroundT = TypeVar("AroundT", bound=Around)


class Watched(Around):
    """A window as it was, whose weights are seen, and what they are weights of."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.seen: list[Tensor] = []
        self.values: list[Tensor] = []

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        found = self.window.weigh(scores, normalizer, query, memory, history)
        self.seen.append(found.weights)
        self.values.append(memory.values)
        return found


class Given(Window):
    """A window that says what the weights are, in the order in which it is asked."""

    def __init__(self, window: Window, weights: list[Float[Tensor, "_ _ _"]]) -> None:
        super().__init__(window.query_dim, window.key_dim)
        self.weights = iter(weights)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B 1 S"]:
        return memory.mask.unsqueeze(1)

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: Normalizer,
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        return WindowOutput(next(self.weights))


class Unasked(Score):
    """Stands for a score whose answer nobody reads: it costs nothing, and values are those of the score itself."""

    def __init__(self, score: Score) -> None:
        super().__init__(score.query_dim, score.key_dim)
        self.score = score

    @property
    def value_dim(self) -> int:
        return self.score.value_dim

    def values(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S C"]:
        return self.score.values(states)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        return query.new_zeros(()).expand(query.size(0), query.size(1), memory.mask.size(1))


def mechanism_of(attention: nn.Module | None) -> Attention:
    """What weighs, within its heads where there are some.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    found = attention.mechanism if isinstance(attention, Heads) else attention
    if not isinstance(found, Attention):
        raise ConfigError(
            "this run has no attention weights, so nothing can be told by them or changed in them; train one with "
            "attention=uniform for a control that has some"
        )
    return found


def heads_of(attention: nn.Module | None) -> int:
    return attention.heads if isinstance(attention, Heads) else 1


@contextmanager
def within(attention: nn.Module | None, make: Callable[[Window], AroundT]) -> Iterator[AroundT]:
    """Within, what ``make`` makes of the mechanism's window stands around it.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    mechanism = mechanism_of(attention)
    window = mechanism.window
    mechanism.window = around = make(window)
    try:
        yield around
    finally:
        mechanism.window = window


@contextmanager
def watching(attention: nn.Module | None) -> Iterator[Watched]:
    """Within, weights (``[B * H, T, S]``, differentiable) and values (``[B * H, S, C]``) of every call are kept.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    with within(attention, Watched) as spy:
        yield spy


@contextmanager
def watched(attention: nn.Module | None) -> Iterator[list[Tensor]]:
    """Within, the weights of every call are added to the list: ``[B * H, T, S]``, differentiable.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    with watching(attention) as spy:
        yield spy.seen


@contextmanager
def given(attention: nn.Module | None, *weights: Float[Tensor, "_ _ _"]) -> Iterator[None]:
    """Within, these are the weights, one array a call: ``[B * H, T, S]``; gradients reach them.

    Raises:
        ConfigError: there is nothing that weighs.
    """
    mechanism = mechanism_of(attention)
    score, window = mechanism.score, mechanism.window
    mechanism.score, mechanism.window = Unasked(score), Given(window, list(weights))
    try:
        yield
    finally:
        mechanism.score, mechanism.window = score, window


def as_looks(weights: Float[Tensor, "M T S"], heads: int) -> Weights:
    """``[N * H, T, S]`` as the looks of each item, ``[N, H * T, S]``."""
    return weights.unflatten(0, (-1, heads)).flatten(1, 2)


def as_called(looks: Weights, heads: int) -> Float[Tensor, "M T S"]:
    """The inverse of ``as_looks``."""
    return looks.unflatten(1, (heads, -1)).flatten(0, 1)


def norms_of(
    attention: nn.Module | None, weights: Float[Tensor, "M T S"], values: Float[Tensor, "M S C"]
) -> Float[Tensor, "N T S"]:
    r"""How long the vector is that each position adds to what is found: ||sum_h a_hj f_h(x_j)||.

    f_h takes x_j to its value in head h and through that head's columns of W_o; without heads f(x_j) is the value.
    Kobayashi et al. 2020, "Attention is not only a weight", equation (6), its heads added up before the norm is taken.
    """
    if not isinstance(attention, Heads):
        return weights.abs() * values.norm(dim=-1).unsqueeze(1)
    heads = attention.heads
    out = attention.W_o.weight.unflatten(1, (heads, -1))  # [D, H, C]
    transformed = torch.einsum("nhsc,dhc->nhsd", values.unflatten(0, (-1, heads)), out)
    return torch.einsum("nhts,nhsd->ntsd", weights.unflatten(0, (-1, heads)), transformed).norm(dim=-1)
