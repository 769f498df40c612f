"""Self-attention: a mechanism in several heads asked by a sentence of itself, with positions, and a cache in decoding.

MultiHead(X, X, X) of Vaswani et al. 2017, section 3.2.3. In a decoder a word sees itself and what stands before it; the
keys and values of earlier words are kept, so that a step of a search costs one word.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Attention, Normalizer
from attnlab.attention.multi_head import Heads
from attnlab.attention.windows.all import All
from attnlab.layers.positions.base import Position
from attnlab.types import ConfigError, Memory


class Past(NamedTuple):
    """Keys and values of the words so far, as the score wants them."""

    keys: Float[Tensor, "N H P K"]
    values: Float[Tensor, "N H P C"]


class SelfAttention(Heads):
    """See ``Heads``; ``causal`` for a decoder.

    Raises:
        ConfigError: a mechanism that cannot look at all words of a sentence from all of them at once.
    """

    def __init__(
        self, mechanism: Callable[..., nn.Module], model_dim: int, heads: int, dropout: float, causal: bool
    ) -> None:
        super().__init__(mechanism, model_dim, model_dim, heads, dropout)
        self.causal = causal
        check_parallel(self.mechanism, causal)

    def start(self, rows: int, like: Tensor) -> Past:
        """Nothing seen yet."""
        nothing = like.new_zeros(rows, self.heads, 0, self.head_dim)
        return Past(self.project_keys(nothing), self.project_values(nothing))

    def forward(  # type: ignore[override]
        self, states: Float[Tensor, "N T D"], mask: Bool[Tensor, "N T"] | None, position: Position, past: Past | None
    ) -> tuple[Float[Tensor, "N T D"], Past]:
        """What each word finds; and the keys and values of all words so far.

        ``mask`` is None in a decoder: what is padded stands behind and is never seen.
        """
        start = 0 if past is None else past.keys.size(2)
        query = position.rotate(self.split(self.W_q(states)), start)
        summed = self.split(self.W_v(states))
        matched = summed if self.W_k is None else position.rotate(self.split(self.W_k(states)), start)
        keys, values = self.project_keys(matched), self.project_values(summed)
        if past is not None and start:
            keys, values = torch.cat([past.keys, keys], dim=2), torch.cat([past.values, values], dim=2)
        looks = self._fused if self.fused and not position.weighs_values else self._explicit
        found = looks(query, keys, values, mask, position)
        return self.W_o(self.join(found)), Past(keys, values)

    def _fused(
        self,
        query: Float[Tensor, "N H T D"],
        keys: Float[Tensor, "N H S K"],
        values: Float[Tensor, "N H S C"],
        mask: Bool[Tensor, "N S"] | None,
        position: Position,
    ) -> Float[Tensor, "N H T C"]:
        target, source = query.size(2), keys.size(2)
        scale = self.mechanism.score.product_scale
        bias = position.bias(query, source, scale or 1.0)
        whole = self.causal and bias is None and target == source and mask is None
        seen: Tensor | None = None if whole else self._seen(target, source, mask, query.device)
        if bias is not None:
            seen = bias if seen is None else bias.masked_fill(~seen, float("-inf"))
        return F.scaled_dot_product_attention(
            query, keys, values, seen, self.dropout.p if self.training else 0.0, is_causal=whole, scale=scale
        )

    def _explicit(
        self,
        query: Float[Tensor, "N H T D"],
        keys: Float[Tensor, "N H S K"],
        values: Float[Tensor, "N H S C"],
        mask: Bool[Tensor, "N S"] | None,
        position: Position,
    ) -> Float[Tensor, "N H T C"]:
        """The same with the weights written out, for any score, window and normalizer."""
        mechanism, source = self.mechanism, keys.size(2)
        if mask is None:
            mask = torch.ones(query.size(0), source, dtype=torch.bool, device=query.device)
        rows = keys.flatten(0, 1)
        unread = rows.new_zeros(rows.size(0), 0)
        memory = self._memory(keys, values, mask, unread)
        folded = query.flatten(0, 1)
        scores = mechanism.score(folded, memory, None)
        bias = position.bias(query, source, mechanism.score.product_scale or 1.0)
        if bias is not None:
            scores = (self.unfold(scores) + bias).flatten(0, 1)
        normalizer = self._restricted(mechanism.normalizer, query.size(2), source, query.device)
        weights = self.dropout(mechanism.window.weigh(scores, normalizer, folded, memory, None).weights)
        found = self.unfold(weights @ memory.values)
        return found + position.values(self.unfold(weights)) if position.weighs_values else found

    def _memory(self, keys: Tensor, values: Tensor, mask: Bool[Tensor, "N S"], summary: Tensor) -> Memory:
        rows = keys.flatten(0, 1)
        window = self.mechanism.window.memory(rows)
        return Memory(rows, values.flatten(0, 1), mask.repeat_interleave(self.heads, 0), summary, window)

    def _restricted(self, normalizer: Normalizer, target: int, source: int, device: torch.device) -> Normalizer:
        """The normalizer, over what a decoder's word may see of the window."""
        if not self.causal or target == 1:
            return normalizer
        return OverThePast(normalizer, past(target, source, device))

    def _seen(
        self, target: int, source: int, mask: Bool[Tensor, "N S"] | None, device: torch.device
    ) -> Bool[Tensor, "#N 1 #T S"] | None:
        """Which positions each word may look at; None is all."""
        real = None if mask is None else mask[:, None, None, :]
        if not self.causal or target == 1:
            return real
        before = past(target, source, device)[None, None]
        return before if real is None else real & before


class OverThePast(Normalizer):
    """A normalizer whose window ends with the word itself."""

    def __init__(self, normalizer: Normalizer, seen: Bool[Tensor, "T S"]) -> None:
        super().__init__()
        self.normalizer, self.seen = normalizer, seen

    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]:
        weights: Tensor = self.normalizer(scores, mask & self.seen)
        return weights


def past(target: int, source: int, device: torch.device) -> Bool[Tensor, "T S"]:
    """True up to the word itself, for the last ``target`` of ``source`` words."""
    positions = torch.arange(source, device=device)
    return positions <= positions[source - target :, None]


def check_parallel(mechanism: Attention, causal: bool) -> None:
    """Raise ConfigError for a mechanism that self-attention cannot ask."""
    score, window = type(mechanism.score).__name__, type(mechanism.window).__name__
    if mechanism.needs_history:
        raise ConfigError(
            f"self-attention asks from all words of a sentence at once, and {score} with {window} counts or looks back "
            "at the steps of one decoder. Take self_attention=scaled_dot (or another score without History)"
        )
    if mechanism.normalizer.draws:
        raise ConfigError(
            f"self-attention cannot be drawn at random by {type(mechanism.normalizer).__name__}: its gradient needs "
            "the reward of a whole sentence, which only attention over the source is given. "
            "Take attention/normalizer@self_attention.normalizer=softmax"
        )
    if causal and (mechanism.score.reads_length or not isinstance(mechanism.window, All)):
        raise ConfigError(
            f"a decoder's self-attention cannot use {score} with {window}: where its sentence ends is not known "
            "before it is decoded. Take self_attention=scaled_dot with the window all for the decoder"
        )
