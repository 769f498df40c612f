"""Layers of a Transformer that are plain: a search may compute them by other means.

Softmax attention by products in several heads, positions that are added to words, float32 or float64 on a CPU, and
nobody wants gradients.
"""

from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Score
from attnlab.layers.positions.learned import Learned
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.self_attention import SelfAttention
from attnlab.layers.transformer import DecoderLayer, EncoderLayer, FeedForward, Stack, Sublayer

ADDED = (Sinusoidal, Learned, NoPosition)  #: positions that are vectors added to words
Layer = EncoderLayer | DecoderLayer


class Norm(NamedTuple):
    """What ``torch.layer_norm`` is told."""

    shape: list[int]
    weight: Tensor
    bias: Tensor
    eps: float


def plain_stack(stack: Stack[Any]) -> bool:
    """Whether they are, but for what a decoder's layer asks of the source."""
    weight = stack[0][0].feedforward[0].weight
    known = weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64)
    if not known or stack.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
        return False
    return type(stack.positions[0]) in ADDED and all(plain_layer(layer, weight.dtype) for layer, _ in stack)


def plain_layer(layer: Layer, dtype: torch.dtype) -> bool:
    own, network = layer.self_attention, layer.feedforward
    if type(layer) not in (EncoderLayer, DecoderLayer) or type(own) is not SelfAttention or not own.fused:
        return False
    score, products = type(own.mechanism.score), (own.W_q, own.W_k, own.W_v, own.W_o)
    norms = [around.norm for around in sublayers(layer)]
    return (
        type(network) is FeedForward
        and score.keys is Score.keys
        and score.values is Score.values
        and all(plain_product(product, dtype) for product in products)
        and all(plain_product(product, dtype) for product in (network[0], network[3]))
        and all(type(norm) is nn.LayerNorm and norm.weight.dtype == dtype for norm in norms)
    )


def plain_product(product: Any, dtype: torch.dtype) -> bool:
    return type(product) is nn.Linear and product.weight.dtype == dtype


def sublayers(layer: Layer) -> tuple[Sublayer, ...]:
    around = (layer.around_attention,) if isinstance(layer, DecoderLayer) else ()
    return layer.around_self, *around, layer.around_feedforward


def asked_of(layer: Layer) -> Float[Tensor, "O D"]:
    """One weight for what self-attention asks of a word: of every head that has keys its queries, key and value."""
    own = cast(SelfAttention, layer.self_attention)
    parts = (cast(nn.Linear, part).weight.unflatten(0, (own.kv_heads, -1)) for part in (own.W_q, own.W_k, own.W_v))
    return torch.cat(list(parts), 1).flatten(0, 1)


def told(norm: nn.Module) -> Norm:
    assert isinstance(norm, nn.LayerNorm)
    return Norm(list(norm.normalized_shape), norm.weight, norm.bias, norm.eps)
