"""What search.c is told of layers: its structures, and weights laid out for them."""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.multi_head import Heads
from attnlab.kernels.native import library as native
from attnlab.kernels.native.library import Product, code, integer, panels, pointer
from attnlab.layers.plain import Layer, asked_of, sublayers, told
from attnlab.layers.transformer import Stack
from attnlab.private.torch import is_hooked

MULTIPLE = 16  #: sizes of layers and heads are multiples of it
FEW = 8  #: sentences that are not worth another thread


class CNorm(ctypes.Structure):
    """``norm`` of search.c."""

    _fields_ = [("weight", pointer), ("bias", pointer), ("eps", ctypes.c_float)]


class CHeads(ctypes.Structure):
    """``heads``."""

    _fields_ = [*((name, integer) for name in ("groups", "shared", "size")), ("scale", ctypes.c_float)]


def compilable(stack: Stack[Any]) -> bool:
    """Whether search.c is there, and made for layers such as these, which are known to be plain."""
    if code() is None:
        return False
    layers = [layer for layer, _ in stack]
    if len({sizes(layer) for layer in layers}) > 1 or any(size % MULTIPLE for size in sizes(layers[0])):
        return False
    if any(type(layer.feedforward[1]) is not nn.ReLU for layer in layers):
        return False
    if any(module.training or is_hooked(module) for module in stack.modules()):
        return False
    norms = [around.norm for layer in layers for around in sublayers(layer)]
    weights = [parameter for layer in layers for parameter in layer.parameters()]
    return all(norm.bias is not None for norm in norms) and native.plain(*weights)


def sizes(layer: Any) -> tuple[int, ...]:
    """What has to be the same in all layers."""
    parts = [layer.self_attention, *([layer.attention] if hasattr(layer, "attention") else [])]
    whole = (layer.feedforward[0].in_features, layer.feedforward[0].out_features)
    of_heads = (size for part in parts for size in (part.head_dim, part.heads * MULTIPLE, part.kv_heads * MULTIPLE))
    around = (bool(part) * MULTIPLE for each in sublayers(layer) for part in (each.first, each.residual))
    return (*whole, *of_heads, *around)


class LaidOut:
    """Weights where search.c finds them, for as long as this is kept."""

    def __init__(self) -> None:
        self.code = cast(ctypes.CDLL, code())
        self.tensors: list[Tensor] = []

    def product(self, weight: Float[Tensor, "O I"], bias: Float[Tensor, " O"] | None = None) -> Product:
        laid_out = panels(weight.detach(), self.code)
        return Product(self.place(laid_out), None if bias is None else self.place(bias), *weight.shape)

    def around(self, layer: Layer) -> tuple[Product, ...]:
        """Of self-attention what it asks and what it makes of what it finds, and both of the feed-forward network."""
        wide, narrow = cast(nn.Linear, layer.feedforward[0]), cast(nn.Linear, layer.feedforward[3])
        return (
            self.product(asked_of(layer)),
            self.product(cast(Any, layer.self_attention).W_o.weight),
            self.product(wide.weight, wide.bias),
            self.product(narrow.weight, narrow.bias),
        )

    def norms(self, layer: Layer) -> Any:
        found = [told(around.norm) for around in sublayers(layer)]
        of_c = (CNorm(self.place(norm.weight), self.place(norm.bias), norm.eps) for norm in found)
        return (CNorm * len(found))(*of_c)

    def place(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return tensor.data_ptr()


def heads(of: Heads) -> CHeads:
    scale = of.mechanism.score.product_scale
    assert scale is not None
    return CHeads(of.kv_heads, of.heads // of.kv_heads, of.head_dim, scale)


def by_threads(run: Callable[[int, int], None], sentences: int) -> None:
    """Run for all sentences, from the first to before the second number, with as many threads as torch has."""
    threads = max(1, min(torch.get_num_threads(), sentences // FEW))
    bounds = [sentences * part // threads for part in range(threads + 1)]
    if threads == 1:
        run(0, sentences)
    else:
        list(workers(os.getpid(), torch.get_num_threads()).map(lambda part: run(*part), pairwise(bounds)))


@cache
def workers(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of this process: what is forked has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="attnlab-search")
