"""Self-attention: a mechanism in several heads asked by a sentence of itself, with positions, and a cache in decoding.

MultiHead(X, X, X) of Vaswani et al. 2017, section 3.2.3. In a decoder a word sees itself and what stands before it; the
keys and values of earlier words are kept, so that a step of a search costs one word. A window is told the places of the
words that ask (``history.step``), so that one that slides along works for all words at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Attention, Normalizer
from attnlab.attention.multi_head import Heads
from attnlab.kernels.cpu_products import fused_attention
from attnlab.layers.mixer import Mixed, Mixer
from attnlab.layers.positions.base import Position
from attnlab.types import ConfigError, History, Memory

REGISTER = 16  #: float32 numbers that a processor computes with at once
FILLED = 3  #: with more hidden words than these the products take longer than the softmax gains


class Past(NamedTuple):
    """Keys and values of the words so far, as the score wants them."""

    keys: Float[Tensor, "N G P K"]
    values: Float[Tensor, "N G P C"]


class SelfAttention(Heads, Mixer):
    """See ``Heads`` and ``Mixer``; ``causal`` for a decoder.

    Raises:
        ConfigError: a mechanism that cannot look at all words of a sentence from all of them at once.
    """

    def __init__(
        self,
        mechanism: Callable[..., nn.Module],
        model_dim: int,
        heads: int,
        dropout: float,
        causal: bool,
        kv_heads: int | None = None,
    ) -> None:
        super().__init__(mechanism, model_dim, model_dim, heads, dropout, kv_heads)
        self.causal = causal
        check_parallel(self.mechanism, causal)

    def start(self, rows: int, like: Tensor) -> Past:
        """Nothing seen yet."""
        nothing = like.new_zeros(rows, self.kv_heads, 0, self.head_dim)
        return Past(self.project_keys(nothing), self.project_values(nothing))

    def forward(  # type: ignore[override]
        self,
        states: Float[Tensor, "N T D"],
        mask: Bool[Tensor, "N T"] | None,
        position: Position,
        state: Past | None = None,
        wanted: bool = False,
    ) -> Mixed:
        """What each word finds; and the keys and values of all words so far."""
        start = 0 if state is None else state.keys.size(2)
        query = position.rotate(self.split(self.W_q(states)), start)
        summed = self.split(self.W_v(states))
        matched = summed if self.W_k is None else position.rotate(self.split(self.W_k(states)), start)
        keys, values = self.project_keys(matched), self.project_values(summed)
        if state is not None and start:
            keys, values = torch.cat([state.keys, keys], dim=2), torch.cat([state.values, values], dim=2)
        weights = None
        if self.fused and not position.weighs_values and not wanted:
            found = self._fused(query, keys, values, mask, position)
        else:
            found, weights = self._explicit(query, keys, values, mask, position)
        return Mixed(self.W_o(self.join(found)), Past(keys, values), weights if wanted else None)

    def check_position(self, position: Position) -> None:
        """Raise ConfigError where a position that is defined for scores by products meets another score."""
        if position.needs_product and self.mechanism.score.product_scale is None:
            raise ConfigError(
                f"position {type(position).__name__} is defined for scores that are products of query and key, and "
                f"{type(self.mechanism.score).__name__} is none. Take self_attention=scaled_dot, or position=t5 or "
                "alibi, which add to any score"
            )

    def _fused(
        self,
        query: Float[Tensor, "N H T D"],
        keys: Float[Tensor, "N G S K"],
        values: Float[Tensor, "N G S C"],
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
        dropout, shared = self.dropout.p if self.training else 0.0, self.kv_heads != self.heads
        if seen is not None and not torch.is_grad_enabled() and keys.device.type == "cpu":
            keys, values, seen = whole_registers(keys, values, seen)
        return fused_attention(query, keys, values, seen, dropout, is_causal=whole, scale=scale, enable_gqa=shared)

    def _explicit(
        self,
        query: Float[Tensor, "N H T D"],
        keys: Float[Tensor, "N G S K"],
        values: Float[Tensor, "N G S C"],
        mask: Bool[Tensor, "N S"] | None,
        position: Position,
    ) -> tuple[Float[Tensor, "N H T C"], Float[Tensor, "N H T S"]]:
        """The same with the weights (before dropout) written out, for any score, window and normalizer."""
        mechanism, source = self.mechanism, keys.size(2)
        if mask is None:
            mask = torch.ones(query.size(0), source, dtype=torch.bool, device=query.device)
        memory, places = self._memory(keys, values, mask), self._places(query, source)
        folded = query.flatten(0, 1)
        scores = mechanism.score(folded, memory, places)
        bias = position.bias(query, source, mechanism.score.product_scale or 1.0)
        if bias is not None:
            scores = (self.unfold(scores) + bias).flatten(0, 1)
        normalizer = self._restricted(mechanism.normalizer, query.size(2), source, query.device)
        weights = mechanism.window.weigh(scores, normalizer, folded, memory, places).weights
        dropped = self.dropout(weights)
        found = self.unfold(dropped @ memory.values)
        if position.weighs_values:
            found = found + position.values(self.unfold(dropped))
        return found, self.unfold(weights)

    def _memory(self, keys: Tensor, values: Tensor, mask: Bool[Tensor, "N S"]) -> Memory:
        """The words as every head of the query sees them, heads as sentences."""
        rows, found = (self.share(part).flatten(0, 1) for part in (keys, values))
        window, unread = self.mechanism.window.memory(rows), rows.new_zeros(rows.size(0), 0)
        return Memory(rows, found, mask.repeat_interleave(self.heads, 0), unread, window)

    def _places(self, query: Float[Tensor, "N H T D"], source: int) -> History | None:
        """Where the words stand that ask: the last T of ``source``; None where the mechanism does not ask for it."""
        if not self.mechanism.needs_history:
            return None
        rows, steps = query.size(0) * query.size(1), query.size(2)
        places = torch.arange(source - steps, source, device=query.device).repeat(rows)
        unread = query.new_zeros(()).expand(rows * steps, source)
        return History(unread, unread, places)

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


def whole_registers(
    keys: Float[Tensor, "N G S K"], values: Float[Tensor, "N G S C"], seen: Shaped[Tensor, "#N #H #T S"]
) -> tuple[Float[Tensor, "N G P K"], Float[Tensor, "N G P C"], Shaped[Tensor, "#N #H #T P"]]:
    """The same with up to ``FILLED`` hidden words more, where those make a whole number of registers.

    torch's fused attention on a CPU takes the softmax of what is left over number by number: over 15 words it takes
    twice as long as over 16, and half as long again over 31 as over 32.
    """
    more = -keys.size(2) % REGISTER
    if not 0 < more <= FILLED:
        return keys, values, seen
    hidden = False if seen.dtype == torch.bool else float("-inf")
    return F.pad(keys, (0, 0, 0, more)), F.pad(values, (0, 0, 0, more)), F.pad(seen, (0, more), value=hidden)


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
    if mechanism.looks_back:
        raise ConfigError(
            f"self-attention asks from all words of a sentence at once, and {score} with {window} counts or looks back "
            "at the steps of one decoder. Take self_attention=scaled_dot (or another score that does not look back)"
        )
    if mechanism.normalizer.draws:
        raise ConfigError(
            f"self-attention cannot be drawn at random by {type(mechanism.normalizer).__name__}: its gradient needs "
            "the reward of a whole sentence, which only attention over the source is given. "
            "Take attention/normalizer@self_attention.normalizer=softmax"
        )
    if causal and (mechanism.score.reads_length or mechanism.window.reads_length):
        raise ConfigError(
            f"a decoder's self-attention cannot use {score} with {window}: where its sentence ends is not known "
            "before it is decoded. Take self_attention=scaled_dot with the window all (or local_m) for the decoder"
        )
