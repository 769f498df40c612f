"""Additive scores e_ij = v^T tanh(q_i + k_j) without the [B, T, S, A] tensor inside the tanh.

Bahdanau et al. 2015, appendix A.1.2, with q = W_a s and k = U_a h already projected. Tiles of a few steps that stay in
the cache are computed, used and forgotten, and again in the backward pass: the memory is O(B (T + S) A + B T S).

The tanh is bought with one exponential a query and a key instead of one a pair:

    r = 1 / (1 + e^{2q} e^{2k}) = (1 - tanh(q + k)) / 2,   e = sum_a v_a - 2 sum_a v_a r_a,   d tanh = 4 (r - r^2)

which is exact as long as neither exponential overflows; else ``Inside`` takes the tanh itself.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.gpu import kernels

LARGE = 1 << 26  # scores: a quarter of a gigabyte
TILE = 1 << 18  # numbers in a tile: one megabyte in float32, shared by the cores, each with its own L2 cache


def additive_scores(
    query: Float[Tensor, "B T A"], keys: Float[Tensor, "B S A"], v: Float[Tensor, " A"]
) -> Float[Tensor, "B T S"]:
    """e of all queries and keys, computed in float32 at least, returned in the type of the query."""
    gpu = kernels("additive", query)
    function = AdditiveScores if gpu is None else gpu.AdditiveScores
    scores: Tensor = function.apply(query, keys, v)
    return scores


def additive_attention(
    query: Float[Tensor, "B T A"],
    keys: Float[Tensor, "B S A"],
    v: Float[Tensor, " A"],
    values: Float[Tensor, "B S V"],
    mask: Bool[Tensor, "B S"],
    scale: float = 1.0,
    weights: bool = True,
) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T S"] | None]:
    """Context and, where asked for, weights of softmax(``scale`` e) over the real tokens.

    On a GPU a context alone, without gradient, takes one pass that writes neither scores nor weights where those would
    be large; that pass saves memory and no time.
    """
    gpu = None if weights or torch.is_grad_enabled() else kernels("additive", query)
    large = query.size(0) * query.size(1) * keys.size(1) > LARGE
    if gpu is not None and large and values.size(-1) <= gpu.WIDEST:
        return gpu.attended(query, keys, v, values, mask, scale), None
    scores = (scale * additive_scores(query, keys, v)).masked_fill(~mask.unsqueeze(1), float("-inf"))
    drawn = scores.softmax(-1)
    return drawn @ values, drawn if weights else None


class Side:
    """One side of the sum, queries or keys: the values and, where it cannot overflow, e^{2x}."""

    def __init__(self, values: Tensor) -> None:
        self.values = values.to(torch.promote_types(values.dtype, torch.float32))
        limit = math.log(torch.finfo(self.values.dtype).max) / 2 - 1
        # Asking a GPU for the largest value would wait for it.
        safe = values.device.type == "cpu" and bool(self.values.abs().amax() < limit)
        self.exp = (2 * self.values).exp_() if safe else None


def half_complement(query: Side, keys: Side, rows: Any, steps: Any, buffer: Tensor) -> Float[Tensor, "b t S A"]:
    """r = (1 - tanh(q + k)) / 2 for some sentences and some of their steps, in the memory of ``buffer``."""
    overflows = query.exp is None or keys.exp is None
    q, k = (side.values if side.exp is None or overflows else side.exp for side in (query, keys))
    q, k = q[rows, steps, None], k[rows, None]
    shape = (q.size(0), q.size(1), k.size(2), k.size(3))
    r = buffer[: math.prod(shape)].view(shape)
    if overflows:
        return torch.add(q, k, out=r).tanh_().sub_(1).mul_(-0.5)
    return torch.addcmul(r.new_ones(()), q, k, out=r).reciprocal_()


def tiles(query: Side, keys: Side) -> Iterator[tuple[slice, slice]]:
    """Sentences and steps of tiles of at most ``TILE`` numbers: whole sentences, or else some steps of one."""
    batch, steps, row = len(query.values), query.values.size(1), keys.values[0].numel()
    sentences, times = max(1, TILE // (row * steps)), min(steps, max(1, TILE // row))
    for first in range(0, batch, sentences):
        for start in range(0, steps, times):
            yield slice(first, first + sentences), slice(start, start + times)


def scratch(query: Side, keys: Side) -> Tensor:
    """Memory for one tile."""
    every = query.values.size(1) * keys.values.numel()
    return keys.values.new_empty(min(max(TILE, keys.values[0].numel()), every))


def tiled_scores(
    query: Side, keys: Side, v: Float[Tensor, " A"], buffer: Tensor, out: Float[Tensor, "B T S"]
) -> Float[Tensor, "B T S"]:
    """The scores, tile by tile, into ``out``."""
    for rows, steps in tiles(query, keys):
        torch.matmul(half_complement(query, keys, rows, steps, buffer), v, out=out[rows, steps])
    return out.mul_(-2).add_(v.sum())


class Gradients:
    """Gradients of ``keys`` and ``v``, added up over calls; those of the queries are handed back call by call."""

    def __init__(self, keys: Side, v: Float[Tensor, " A"]) -> None:
        self.keys, self.v = keys, v
        self.of_keys, self.of_v, self.sum = torch.zeros_like(keys.values), torch.zeros_like(v), torch.zeros_like(v[0])

    def add(self, query: Side, grad: Float[Tensor, "B T S"], buffer: Tensor) -> Float[Tensor, "B T A"]:
        """Take the gradient of some scores; that of their queries."""
        of_query = torch.empty_like(query.values)
        for rows, steps in tiles(query, self.keys):
            r, g = half_complement(query, self.keys, rows, steps, buffer), grad[rows, steps]
            self.of_v.addmv_(r.view(-1, r.size(-1)).t(), g.reshape(-1))
            r.addcmul_(r, r, value=-1).mul_(g.unsqueeze(-1))
            torch.sum(r, 2, out=of_query[rows, steps])
            self.of_keys[rows] += r.squeeze(1) if r.size(1) == 1 else r.sum(1)
        self.sum += grad.sum()
        return of_query.mul_(4 * self.v)

    def total(self) -> tuple[Float[Tensor, "B S A"], Float[Tensor, " A"]]:
        """The gradients of keys and v; once, when all is added."""
        return self.of_keys.mul_(4 * self.v), self.of_v.mul_(-2).add_(self.sum)


class AdditiveScores(Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
        ctx.save_for_backward(query, keys, v)
        q, k = Side(query), Side(keys)
        out = q.values.new_empty(query.size(0), query.size(1), keys.size(1))
        return tiled_scores(q, k, v.to(out.dtype), scratch(q, k), out).to(query.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, keys, v = ctx.saved_tensors
        q, k = Side(query), Side(keys)
        gradients = Gradients(k, v.to(q.values.dtype))
        grad_query = gradients.add(q, grad.to(q.values.dtype), scratch(q, k))
        grad_keys, grad_v = gradients.total()
        return grad_query.to(query.dtype), grad_keys.to(keys.dtype), grad_v.to(v.dtype)
