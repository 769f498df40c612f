"""The layers of a Transformer that reads, by code in C where there is a compiler for it: all layers in one call."""

import ctypes
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.kernels.native.library import Product, floats, integer, pointer
from attnlab.layers.compiled import CHeads, CNorm, LaidOut, by_threads, compilable, heads
from attnlab.layers.plain import plain_stack
from attnlab.layers.transformer import EncoderLayer, Stack

ROWS = 64  #: words that are worth it


class CReading(ctypes.Structure):
    """``reading`` of search.c."""

    _fields_ = [*((name, Product) for name in ("asked", "found", "wide", "narrow")), ("norms", CNorm * 2)]


class SourceRequest(ctypes.Structure):
    """``source_request``."""

    _fields_ = [
        ("layers", pointer),
        *((name, integer) for name in ("count", "dim", "inner", "pre", "residual")),
        ("own", CHeads), ("longest", integer), ("mask", pointer), ("states", pointer),
    ]  # fmt: skip


def read(
    stack: Stack[EncoderLayer], states: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]
) -> Float[Tensor, "B S E"] | None:
    """What the layers make of the words; None where they, or the words, are not such as search.c takes, or so few that
    to lay the weights out takes longer than they do.
    """
    if mask.numel() < ROWS or states.dtype != torch.float32 or mask.dtype != torch.bool:
        return None
    if not plain_stack(stack) or not compilable(stack):
        return None
    laid_out, first = LaidOut(), stack[0][0]
    layers = [CReading(*laid_out.around(layer), laid_out.norms(layer)) for layer, _ in stack]
    states, mask = states.clone(memory_format=torch.contiguous_format), mask.contiguous()
    own: Any = first.self_attention
    in_c = (CReading * len(layers))(*layers)
    request = SourceRequest(
        ctypes.addressof(in_c), len(layers), states.size(2), first.feedforward[0].out_features,
        first.around_self.first, first.around_self.residual,
        heads(own), states.size(1), mask.data_ptr(), states.data_ptr(),
    )  # fmt: skip
    asked, code = ctypes.byref(request), laid_out.code

    def run(begin: int, end: int) -> None:
        room = floats(code.attnlab_source_room(asked, end - begin))
        code.attnlab_read(asked, begin, end, room.data_ptr())

    by_threads(run, states.size(0))
    return states
