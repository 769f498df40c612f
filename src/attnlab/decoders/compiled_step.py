"""The step of ``transformer_step`` by code in C, where there is a compiler for it: all layers in one call.

Its products keep sums in registers and a weight's panel in the nearest cache, self-attention looks at none but the
words that a hypothesis has itself, and nothing is dispatched in between.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.multi_head import Heads
from attnlab.decoders.transformer_step import Sentences, TransformerStep, plain
from attnlab.decoders.word_store import LastingStore, WordStore
from attnlab.kernels.native.library import Product, floats, integer, pointer
from attnlab.layers.compiled import CHeads, CNorm, LaidOut, by_threads, compilable, heads
from attnlab.layers.transformer import DecoderLayer, Stack


class CLayer(ctypes.Structure):
    """``layer`` of search.c."""

    _fields_ = [
        *((name, Product) for name in ("asked", "found", "wide", "narrow", "source_asked", "source_found")),
        ("norms", CNorm * 3), ("words", pointer), ("keys", pointer), ("values", pointer),
    ]  # fmt: skip


class Request(ctypes.Structure):
    """``request``."""

    _fields_ = [
        ("layers", pointer),
        *((name, integer) for name in ("count", "aligned", "dim", "inner", "pre", "residual")),
        ("own", CHeads), ("source", CHeads),
        *((name, integer) for name in ("width", "capacity", "places", "first", "source_places")),
        *((name, pointer) for name in ("numbers", "mask", "source_mask", "states", "weights")),
    ]  # fmt: skip


def step_of(stack: Stack[DecoderLayer], aligned: int, head: int | None) -> TransformerStep | None:
    """The step written out for these layers; None where they are not plain."""
    if not plain(stack):
        return None
    return (CompiledStep if compilable(stack) else TransformerStep)(stack, aligned, head)


class CompiledStep(TransformerStep):
    """``TransformerStep`` by search.c; of one search at a time, and while weights stay what they are."""

    store = LastingStore

    def lay_out(self, layers: Sequence[DecoderLayer]) -> Any:
        self.laid_out, first = LaidOut(), layers[0]
        in_c = (CLayer * len(layers))(*(self._layer(layer) for layer in layers))
        self.request = Request(
            ctypes.addressof(in_c), len(layers), 0, first.feedforward[0].in_features, first.feedforward[0].out_features,
            first.around_self.first, first.around_self.residual,
            heads(cast(Heads, first.self_attention)), heads(first.attention),
        )  # fmt: skip
        return in_c

    def _layer(self, layer: DecoderLayer) -> CLayer:
        source, product = layer.attention, self.laid_out.product
        asked, found = product(cast(nn.Linear, source.W_q).weight), product(source.W_o.weight)
        return CLayer(*self.laid_out.around(layer), asked, found, self.laid_out.norms(layer))

    def through(
        self, states: Float[Tensor, "N D"], memory: Sentences, mask: Float[Tensor, "N P"], place: int, width: int
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "BG KR S"]]:
        store, sentences, request = memory.store, memory.number.size(0), self.request
        self._point_to(store)
        groups, shared = self.source.kv_heads, self.source.heads // self.source.kv_heads
        weights = states.new_empty(sentences * groups, width * shared, memory.mask.size(1))
        states, mask, source_mask = states.contiguous(), mask.contiguous(), memory.mask.contiguous()
        request.aligned = self.aligned % request.count
        request.width, request.capacity, request.first = width, store.words.size(3), place
        request.places, request.source_places = mask.size(1), source_mask.size(1)
        numbers = memory.number.contiguous()
        request.numbers = numbers.data_ptr()
        request.mask, request.source_mask = mask.data_ptr(), source_mask.data_ptr()
        request.states, request.weights = states.data_ptr(), weights.data_ptr()
        by_threads(self._step, sentences)
        return states, weights

    def _point_to(self, store: WordStore) -> None:
        """Tell where keys and values of each layer lie."""
        stored = [
            (part.data_ptr(), part.stride(0) * part.element_size()) for part in (store.words, store.keys, store.values)
        ]
        (words, of_words), (keys, of_keys), (values, of_values) = stored
        for number, layer in enumerate(self.layers):
            layer.words, layer.keys = words + number * of_words, keys + number * of_keys
            layer.values = values + number * of_values

    def _step(self, begin: int, end: int) -> None:
        asked, code = ctypes.byref(self.request), self.laid_out.code
        room = floats(code.attnlab_room(asked, (end - begin) * self.request.width))
        code.attnlab_step(asked, begin, end, room.data_ptr())
