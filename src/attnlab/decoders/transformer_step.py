"""One step of a plain Transformer decoder in a search, written out for one word a hypothesis.

What ``Transformer.forward`` computes, by other means: weights are laid out once a search, residual connections are
added by the products, queries of all hypotheses of a sentence are one product a head, and keys and values stay where
they were written (``WordStore``).

    e = scale q [k_1 … k_S] + mask      the mask is 0 on a hypothesis' own words and -inf on others

Anything else than softmax attention by products in several heads, and positions that are added to words, takes
``forward`` itself; so do half precision, gradients and a GPU.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.multi_head import Heads, MultiHead
from attnlab.decoders.base import Decoded
from attnlab.decoders.word_store import BLOCK, Attends, WordStore, by_place, rounded
from attnlab.kernels.packed_linear import PackedLinear
from attnlab.layers.plain import Norm, asked_of, plain_product, plain_stack, sublayers, told
from attnlab.layers.positions.base import Position
from attnlab.layers.self_attention import SelfAttention
from attnlab.layers.transformer import DecoderLayer, Stack
from attnlab.types import Encoded

AHEAD = 32  #: positions whose vectors are computed at once


class Sentences(NamedTuple):
    """What is looked at."""

    number: Int[Tensor, " B"]  #: of each sentence in the store
    mask: Float[Tensor, "B S"]  #: added to scores
    store: WordStore


class Said(NamedTuple):
    """The words so far."""

    words: int
    mask: Float[Tensor, "N P"]  #: added to scores of the places of the store
    filled: int  #: places
    turn: int  #: of the store, which only the last state may be gone on from


class Layer(NamedTuple):
    """The weights of one layer."""

    asked: PackedLinear  #: of every head that has a key and a value: its queries, key and value
    found: PackedLinear
    source_asked: PackedLinear
    source_found: PackedLinear
    wide: PackedLinear
    narrow: PackedLinear
    norms: tuple["Norm", "Norm", "Norm"]


class TransformerStep:
    """See the module.

    Args:
        stack: layers that all are plain.
        aligned: the layer whose weights are the alignment.
        head: of its heads; None is their mean.
    """

    store: type[WordStore] = WordStore

    def __init__(self, stack: Stack[DecoderLayer], aligned: int, head: int | None) -> None:
        self.layers = self.lay_out([layer for layer, _ in stack])
        first = stack[0][0]
        own, source = cast(SelfAttention, first.self_attention), first.attention
        self.own, self.source = attends(own), attends(source)
        self.around = first.around_self
        self.pre, self.residual = self.around.first, self.around.residual
        self.gelu = isinstance(first.feedforward[1], nn.GELU)
        self.attentions = [layer.attention for layer, _ in stack]
        self.position, self.scale = cast(Position, stack.positions[0]), stack.scale
        self.norm = told(stack.norm) if isinstance(stack.norm, nn.LayerNorm) else None
        self.aligned, self.head = aligned, head
        self.vectors = torch.empty(0)
        self.ahead = 0  #: position of the first of ``vectors``

    def lay_out(self, layers: Sequence[DecoderLayer]) -> Any:
        """The weights of the layers, as ``through`` takes them."""
        return [laid_out(layer) for layer in layers]

    def initial_state(self, encoded: Encoded) -> tuple[Sentences, Said]:
        """Keys and values of the source for every layer; and nothing said yet."""
        memories = [attention.memory(encoded) for attention in self.attentions]
        store = self.store(memories, self.own)
        sentences, longest = encoded.mask.shape
        mask = encoded.states.new_full((sentences, rounded(longest)), float("-inf"))
        mask[:, :longest].masked_fill_(encoded.mask, 0.0)
        nothing = mask.new_full((sentences, BLOCK), float("-inf"))
        return Sentences(torch.arange(sentences), mask, store), Said(0, nothing, 0, store.turn)

    def __call__(self, embedded: Float[Tensor, "N 1 E"], memory: Sentences, state: Said) -> Decoded:
        store, sentences = memory.store, memory.number.size(0)
        store.keep(memory.number, state.turn)
        width = embedded.size(0) // sentences
        mask, place = store.make_room(state.mask, state.filled, width)
        states = torch.add(self._vector(state.words), embedded.squeeze(1), alpha=self.scale)
        states, weights = self.through(states, memory, mask, place, width)
        features = states if self.norm is None else torch.layer_norm(states, *self.norm)
        shown = self.source.alignment(weights, width, self.head)[:, None, : store.longest]
        return Decoded(features.unsqueeze(1), shown, Said(state.words + 1, mask, place + width, store.turn))

    def through(
        self, states: Float[Tensor, "N D"], memory: Sentences, mask: Float[Tensor, "N P"], place: int, width: int
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "BG KR S"]]:
        """What the layers make of the new words, and the weights of the one whose are the alignment.

        Args:
            states: of the new words; they may be written to.
            memory: what is looked at.
            mask: which places each hypothesis sees.
            place: of a sentence's first new word.
            width: hypotheses a sentence.
        """
        store, sentences = memory.store, memory.number.size(0)
        rows, groups, size = states.size(0), self.own.kv_heads, self.own.group_dim
        own, source = self.own.mask(mask, sentences, width), self.source.mask(memory.mask, sentences, width)
        written, parts = store.rows(place, width), (size, 2 * self.own.head_dim)
        weights, pre = None, self.pre
        for number, layer in enumerate(self.layers):
            first, second, third = layer.norms
            asked = layer.asked(torch.layer_norm(states, *first) if pre else states).view(rows, groups, -1)
            query, word = asked.split_with_sizes(parts, 2)
            written[number].copy_(by_place(word, width))
            found, _ = self.own(query, *store.said[number], own, width)
            states = self._after(states, layer.found, found, first)
            query = layer.source_asked(torch.layer_norm(states, *second) if pre else states)
            query = query.view(rows, self.source.kv_heads, -1)
            found, seen = self.source(query, *store.source[number], source, width)
            weights = seen if number == self.aligned else weights
            states = self._after(states, layer.source_found, found, second)
            inner = layer.wide(torch.layer_norm(states, *third) if pre else states)
            states = self._after(states, layer.narrow, F.gelu(inner) if self.gelu else inner.relu_(), third)
        assert weights is not None
        return states, weights

    def _after(
        self, states: Float[Tensor, "N D"], product: PackedLinear, found: Float[Tensor, "N I"], norm: Norm
    ) -> Float[Tensor, "N D"]:
        """Residual connection and norm around a product, see ``Sublayer.after``."""
        states = product.onto(states, found) if self.residual else product(found)
        return states if self.pre else torch.layer_norm(states, *norm)

    def _vector(self, position: int) -> Float[Tensor, "1 E"]:
        """What the position adds to a word."""
        place = position - self.ahead
        if not 0 <= place < self.vectors.size(0):
            known = self.position.longest
            ahead = AHEAD if known is None else max(1, min(AHEAD, known - position))
            like = self.attentions[0].W_o.weight
            self.vectors = self.position.embed(like.new_zeros(1, ahead, self.position.model_dim), position)[0]
            self.ahead, place = position, 0
        return self.vectors[place : place + 1]


def plain(stack: Stack[DecoderLayer]) -> bool:
    """Whether the step written out is what the layers compute."""
    dtype = stack[0][0].attention.W_o.weight.dtype
    return plain_stack(stack) and all(plain_attention(layer.attention, dtype) for layer, _ in stack)


def plain_attention(source: Heads, dtype: torch.dtype) -> bool:
    known = type(source) in (Heads, MultiHead) and source.fused
    return known and plain_product(source.W_q, dtype) and plain_product(source.W_o, dtype)


def laid_out(layer: DecoderLayer) -> Layer:
    own, source, asked = cast(SelfAttention, layer.self_attention), layer.attention, asked_of(layer)
    wide, narrow = cast(nn.Linear, layer.feedforward[0]), cast(nn.Linear, layer.feedforward[3])
    first, second, third = (told(around.norm) for around in sublayers(layer))
    return Layer(
        PackedLinear(asked),
        PackedLinear(own.W_o.weight),
        PackedLinear(cast(nn.Linear, source.W_q).weight),
        PackedLinear(source.W_o.weight),
        PackedLinear(wide.weight, wide.bias),
        PackedLinear(narrow.weight, narrow.bias),
        (first, second, third),
    )


def attends(attention: Heads) -> Attends:
    scale = attention.mechanism.score.product_scale
    assert scale is not None
    return Attends(attention.heads, attention.kv_heads, attention.head_dim, scale)
