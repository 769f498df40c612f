"""One step of a plain Transformer decoder in a search, written out for one word a hypothesis.

What ``Transformer.forward`` computes, by other means: weights are laid out once a search, residual connections are
added by the products, queries of all hypotheses of a sentence are one product a head, and keys and values stay where
they were written (``WordStore``).

    e = scale q [k_1 … k_S] + mask      the mask is 0 on a hypothesis' own words and -inf on others

Anything else than softmax attention by products in several heads, and positions that are added to words, takes
``forward`` itself; so do half precision, gradients and a GPU.
"""

from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.attention.base import Score
from attnlab.attention.multi_head import Heads, MultiHead
from attnlab.decoders.base import Decoded
from attnlab.decoders.word_store import BLOCK, Attends, WordStore, by_place, rounded
from attnlab.kernels.packed_linear import PackedLinear
from attnlab.layers.positions.base import Position
from attnlab.layers.positions.learned import Learned
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.self_attention import SelfAttention
from attnlab.layers.transformer import DecoderLayer, FeedForward, Stack, Sublayer
from attnlab.types import Encoded

ADDED = (Sinusoidal, Learned, NoPosition)  #: positions that are vectors added to words
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


class Norm(NamedTuple):
    """What ``torch.layer_norm`` is told."""

    shape: list[int]
    weight: Tensor
    bias: Tensor
    eps: float


class TransformerStep:
    """See the module; ``of`` makes one.

    Args:
        stack: layers that all are plain.
        aligned: the layer whose weights are the alignment.
        head: of its heads; None is their mean.
    """

    def __init__(self, stack: Stack[DecoderLayer], aligned: int, head: int | None) -> None:
        self.layers = [laid_out(layer) for layer, _ in stack]
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

    @staticmethod
    def of(stack: Stack[DecoderLayer], aligned: int, head: int | None) -> "TransformerStep | None":
        """For these layers; None where they are not plain."""
        return TransformerStep(stack, aligned, head) if plain(stack) else None

    def initial_state(self, encoded: Encoded) -> tuple[Sentences, Said]:
        """Keys and values of the source for every layer; and nothing said yet."""
        memories = [attention.memory(encoded) for attention in self.attentions]
        store = WordStore(memories, self.own)
        sentences, longest = encoded.mask.shape
        mask = encoded.states.new_full((sentences, rounded(longest)), float("-inf"))
        mask[:, :longest].masked_fill_(encoded.mask, 0.0)
        nothing = mask.new_full((sentences, BLOCK), float("-inf"))
        return Sentences(torch.arange(sentences), mask, store), Said(0, nothing, 0, store.turn)

    def __call__(self, embedded: Float[Tensor, "N 1 E"], memory: Sentences, state: Said) -> Decoded:
        store, sentences = memory.store, memory.number.size(0)
        store.keep(memory.number, state.turn)
        rows, groups, size = embedded.size(0), self.own.kv_heads, self.own.group_dim
        width = rows // sentences
        mask, place = store.make_room(state.mask, state.filled, width)
        own, source = self.own.mask(mask, sentences, width), self.source.mask(memory.mask, sentences, width)
        written, parts = store.rows(place, width), (size, 2 * self.own.head_dim)
        states = torch.add(self._vector(state.words), embedded.squeeze(1), alpha=self.scale)
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
        features = states if self.norm is None else torch.layer_norm(states, *self.norm)
        shown = self.source.alignment(weights, width, self.head)[:, None, : store.longest]
        return Decoded(features.unsqueeze(1), shown, Said(state.words + 1, mask, place + width, store.turn))

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
            first = self.layers[0].asked.weight
            self.vectors = self.position.embed(first.new_zeros(1, ahead, self.position.model_dim), position)[0]
            self.ahead, place = position, 0
        return self.vectors[place : place + 1]


def plain(stack: Stack[DecoderLayer]) -> bool:
    """Whether the step written out is what the layers compute."""
    weight = stack[0][0].attention.W_o.weight
    known = weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64)
    if not known or stack.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
        return False
    if type(stack.positions[0]) not in ADDED:
        return False
    return all(plain_layer(layer, weight.dtype) for layer, _ in stack)


def plain_layer(layer: DecoderLayer, dtype: torch.dtype) -> bool:
    own, source, network = layer.self_attention, layer.attention, layer.feedforward
    if type(layer) is not DecoderLayer or type(own) is not SelfAttention or type(source) not in (Heads, MultiHead):
        return False
    score = type(own.mechanism.score)
    whole = own.fused and source.fused and score.keys is Score.keys and score.values is Score.values
    products: list[Any] = [own.W_q, own.W_k, own.W_v, own.W_o, source.W_q, source.W_o, network[0], network[3]]
    norms = [around.norm for around in sublayers(layer)]
    return (
        whole
        and type(network) is FeedForward
        and all(type(product) is nn.Linear and product.weight.dtype == dtype for product in products)
        and all(type(norm) is nn.LayerNorm and norm.weight.dtype == dtype for norm in norms)
    )


def sublayers(layer: DecoderLayer) -> tuple[Sublayer, Sublayer, Sublayer]:
    return layer.around_self, layer.around_attention, layer.around_feedforward


def laid_out(layer: DecoderLayer) -> Layer:
    own, source = cast(SelfAttention, layer.self_attention), layer.attention
    parts = (cast(nn.Linear, part).weight.unflatten(0, (own.kv_heads, -1)) for part in (own.W_q, own.W_k, own.W_v))
    asked = torch.cat(list(parts), 1).flatten(0, 1)
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


def told(norm: nn.Module) -> Norm:
    assert isinstance(norm, nn.LayerNorm)
    return Norm(list(norm.normalized_shape), norm.weight, norm.bias, norm.eps)
