"""Attention of the library's models, watched, or with other weights than its own.

The library asks a function that is registered by name for the attention of a layer (its ``AttentionInterface``). Ours
asks the one of the model's own file, which says the weights, and puts others into one row of them where it is told to.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from attnlab.errors import ConfigError

NAME = "attnlab"  #: of the function, where a model is loaded


class Row(NamedTuple):
    """Weights of one query of each text."""

    query: Int[Tensor, " N"]  #: which one
    places: Int[Tensor, "N S"]  #: of the positions among all pieces; as many as there are pieces is none
    weights: Float[Tensor, "N H S"]  #: of these positions; other pieces keep their own


class Call(NamedTuple):
    """One layer, asked."""

    module: nn.Module
    weights: Float[Tensor, "N H T M"]


class Watch(NamedTuple):
    """What was asked, in order, and what is changed."""

    calls: list[Call]
    rows: Mapping[nn.Module, Row]


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


def register() -> None:
    """Make the function known to the library.

    Raises:
        ConfigError: it is of a version without these interfaces.
    """
    try:
        from transformers import AttentionInterface, AttentionMaskInterface
        from transformers.masking_utils import eager_mask
    except ImportError as error:
        raise ConfigError("transformers: too old to be asked with other weights; expected 5 or later") from error
    interface: Any = AttentionInterface
    masks: Any = AttentionMaskInterface
    interface.register(NAME, attend)
    masks.register(NAME, eager_mask)


@contextmanager
def watched(rows: Mapping[nn.Module, Row] | None = None) -> Iterator[list[Call]]:
    """Within, the weights of every call are kept, and these modules have those rows in the place of theirs."""
    watch = Watch([], rows or {})
    token = _WATCH.set(watch)
    try:
        yield watch.calls
    finally:
        _WATCH.reset(token)


def attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **more: Any
) -> tuple[Tensor, Tensor]:
    """As the library calls it: states ``[N, T, H, D]`` and weights ``[N, H, T, M]``."""
    own: Any = sys.modules[type(module).__module__]
    states, weights = own.eager_attention_forward(module, query, key, value, attention_mask, **more)
    watch = _WATCH.get()
    if watch is not None:
        watch.calls.append(Call(module, weights))
        if module in watch.rows:
            states = replaced(states, weights, value, watch.rows[module])
    return states, weights


def replaced(states: Tensor, weights: Tensor, value: Tensor, row: Row) -> Float[Tensor, "N T H D"]:
    """The states with one row of weights replaced; gradients reach the new ones."""
    own = weights[torch.arange(len(weights)), :, row.query]  # [N, H, M]
    places = row.places.unsqueeze(1).expand_as(row.weights)
    new = pad(own, (0, 1)).scatter(2, places, row.weights)[..., :-1]
    heads = value.repeat_interleave(weights.size(1) // value.size(1), 1)  # of models whose heads share values
    found = torch.einsum("nhm,nhmd->nhd", new, heads)
    here = torch.arange(states.size(1), device=states.device) == row.query.unsqueeze(1)  # [N, T]
    return torch.where(here[..., None, None], found.unsqueeze(1), states)


def looks_at(call: Call, query: Int[Tensor, " N"], places: Int[Tensor, "N S"]) -> Float[Tensor, "N H S"]:
    """How a query weighed some positions; 0 where there is none."""
    own = call.weights[torch.arange(len(query)), :, query]
    return pad(own, (0, 1)).gather(2, places.unsqueeze(1).expand(-1, own.size(1), -1))


@contextmanager
def resumed(layers: list[nn.Module], states: Float[Tensor, "N M D"], in_tuple: bool) -> Iterator[None]:
    """Within, these layers are not run: the last of them found these states."""
    for layer in layers:
        layer.forward = lambda *given, **more: (states,) if in_tuple else states  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
