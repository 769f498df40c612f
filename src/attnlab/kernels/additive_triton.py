"""Additive attention on a GPU: scores, softmax and context in one pass, without the [B, T, S, A] tensor.

Forward: a program has some queries of one sentence and walks over its keys with an online softmax (Milakov and
Gimelshein 2018), adding up the context as it goes; the scores ``[B, T, S]`` are written only where a backward pass or
weights are wanted. Backward: with the scores at hand the gradient of each score is a few products of ``[B, T, S]``; two
kernels walk over the pairs again, one for queries and v, one for keys. All sums are in float32.

Run on a CPU by Triton's interpreter (``TRITON_INTERPRET=1``) it is what the tests check.
"""

from typing import Any, no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

QUERIES, KEYS, WIDTH = 16, 16, 32  # a tile of pairs; tl.dot wants 16 at least


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def _tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
@no_type_check
def _load(start, rows, columns, count, width):
    """A float32 tile of a row-major matrix ``[count, width]``, zeros outside it."""
    inside = (rows < count)[:, None] & (columns < width)[None, :]
    return tl.load(start + rows[:, None] * width + columns[None, :], mask=inside, other=0.0).to(tl.float32)


@triton.jit
@no_type_check
def _forward(
    query, keys, v, values, mask, scores, context, log_sum, scale, T, S, A, V,
    STORE: tl.constexpr, ATTEND: tl.constexpr, BT: tl.constexpr, BS: tl.constexpr, BA: tl.constexpr, BV: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(1).to(tl.int64)
    t, s0, a0, c = tl.program_id(0) * BT + tl.arange(0, BT), tl.arange(0, BS), tl.arange(0, BA), tl.arange(0, BV)
    top = tl.full([BT], float("-inf"), tl.float32)
    total = tl.zeros([BT], tl.float32)
    summed = tl.zeros([BT, BV], tl.float32)
    for first in range(0, S, BS):
        s = first + s0
        e = tl.zeros([BT, BS], tl.float32)
        for start in range(0, A, BA):
            a = start + a0
            q, k = _load(query + b * T * A, t, a, T, A), _load(keys + b * S * A, s, a, S, A)
            weight = tl.load(v + a, mask=a < A, other=0.0).to(tl.float32)
            e += tl.sum(_tanh(q[:, None, :] + k[None, :, :]) * weight[None, None, :], 2)
        if STORE:
            place = scores + b * T * S + t[:, None] * S + s[None, :]
            tl.store(place, e, mask=(t < T)[:, None] & (s < S)[None, :])
        if ATTEND:
            real = tl.load(mask + b * S + s, mask=s < S, other=0) != 0
            e = tl.where(real[None, :], e * scale, float("-inf"))
            new = tl.maximum(top, tl.max(e, 1))
            safe = tl.where(new == float("-inf"), 0.0, new)  # padding alone so far
            p, shrink = tl.exp(e - safe[:, None]), tl.exp(top - safe)
            total = total * shrink + tl.sum(p, 1)
            found = _load(values + b * S * V, s, c, S, V)
            summed = summed * shrink[:, None] + tl.dot(p, found, input_precision="ieee")
            top = new
    if ATTEND:
        tl.store(log_sum + b * T + t, top + tl.log(total), mask=t < T)
        place = context + b * T * V + t[:, None] * V + c[None, :]
        tl.store(place, summed / total[:, None], mask=(t < T)[:, None] & (c < V)[None, :])


@triton.jit
@no_type_check
def _backward(
    own, other, v, grad, of_own, of_v, N, M, A, stride_own, stride_other,
    SUM_V: tl.constexpr, BN: tl.constexpr, BM: tl.constexpr, BA: tl.constexpr,
):  # fmt: skip
    """Gradient of one side (``own``, N rows) of the pairs with the ``other`` (M rows); ``of_v`` a program if asked."""
    b = tl.program_id(2).to(tl.int64)
    n, a, m0 = tl.program_id(0) * BN + tl.arange(0, BN), tl.program_id(1) * BA + tl.arange(0, BA), tl.arange(0, BM)
    x = _load(own + b * N * A, n, a, N, A)
    slope, share = tl.zeros([BN, BA], tl.float32), tl.zeros([BA], tl.float32)
    for first in range(0, M, BM):
        m = first + m0
        y = _load(other + b * M * A, m, a, M, A)
        inside = (n < N)[:, None] & (m < M)[None, :]
        place = grad + b * N * M + n[:, None] * stride_own + m[None, :] * stride_other
        g = tl.load(place, mask=inside, other=0.0)
        tanh = _tanh(x[:, None, :] + y[None, :, :])
        slope += tl.sum(g[:, :, None] * (1 - tanh * tanh), 1)
        if SUM_V:
            share += tl.sum(tl.sum(g[:, :, None] * tanh, 1), 0)
    weight = tl.load(v + a, mask=a < A, other=0.0).to(tl.float32)
    place = of_own + b * N * A + n[:, None] * A + a[None, :]
    tl.store(place, slope * weight[None, :], mask=(n < N)[:, None] & (a < A)[None, :])
    if SUM_V:
        tl.store(of_v + (b * tl.num_programs(0) + tl.program_id(0)) * A + a, share, mask=a < A)


def _run_forward(
    query: Tensor, keys: Tensor, v: Tensor, values: Tensor, mask: Tensor, scale: float, store: bool, attend: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, context and log-sum-exp in float32; those that were not asked for are empty."""
    (B, T, A), S, V = query.shape, keys.size(1), values.size(2)
    scores = query.new_empty(B * store, T, S, dtype=torch.float32)
    context = query.new_empty(B * attend, T, V, dtype=torch.float32)
    log_sum = query.new_empty(B * attend, T, dtype=torch.float32)
    _forward[(triton.cdiv(T, QUERIES), B)](
        query, keys, v, values, mask.to(torch.int8), scores, context, log_sum, scale, T, S, A, V,
        STORE=store, ATTEND=attend, BT=QUERIES, BS=KEYS, BA=WIDTH, BV=max(16, triton.next_power_of_2(V)),
    )  # fmt: skip
    return scores, context, log_sum


def _run_backward(query: Tensor, keys: Tensor, v: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of queries, keys and v from those of the scores, ``[B, T, S]``."""
    (B, T, A), S = query.shape, keys.size(1)
    of_query, of_keys = (torch.empty_like(side, dtype=torch.float32) for side in (query, keys))
    of_v = v.new_empty(B, triton.cdiv(T, QUERIES), A, dtype=torch.float32)
    blocks = triton.cdiv(A, WIDTH)
    _backward[(triton.cdiv(T, QUERIES), blocks, B)](
        query, keys, v, grad, of_query, of_v, T, S, A, S, 1, SUM_V=True, BN=QUERIES, BM=KEYS, BA=WIDTH
    )
    _backward[(triton.cdiv(S, KEYS), blocks, B)](
        keys, query, v, grad, of_keys, of_v, S, T, A, 1, S, SUM_V=False, BN=KEYS, BM=QUERIES, BA=WIDTH
    )
    return of_query.to(query.dtype), of_keys.to(keys.dtype), of_v.sum((0, 1)).to(v.dtype)


class AdditiveScores(Function):
    """v^T tanh(q_i + k_j), ``[B, T, S]``."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
        query, keys, v = query.contiguous(), keys.contiguous(), v.contiguous()
        ctx.save_for_backward(query, keys, v)
        unread = keys[:, :, 0].bool()
        return _run_forward(query, keys, v, keys, unread, 1.0, store=True, attend=False)[0].to(query.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, keys, v = ctx.saved_tensors
        return _run_backward(query, keys, v, grad.float().contiguous())


class AdditiveAttention(Function):
    """Context and, where asked for, the weights of softmax(scale v^T tanh(q_i + k_j)) over the real tokens."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        keys: Tensor,
        v: Tensor,
        values: Tensor,
        mask: Tensor,
        scale: float,
        weights: bool,
        store: bool,
    ) -> tuple[Tensor, Tensor | None]:
        query, keys, v, values = query.contiguous(), keys.contiguous(), v.contiguous(), values.contiguous()
        scores, context, log_sum = _run_forward(query, keys, v, values, mask, scale, store, attend=True)
        ctx.save_for_backward(query, keys, v, values, mask, scores, context, log_sum)
        ctx.scale = scale
        ctx.set_materialize_grads(False)
        drawn = _weights(scores, log_sum, mask, scale).to(query.dtype) if weights else None
        return context.to(values.dtype), drawn

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_context: Tensor | None, of_weights: Tensor | None) -> tuple[Tensor | None, ...]:
        query, keys, v, values, mask, scores, context, log_sum = ctx.saved_tensors
        weights = _weights(scores, log_sum, mask, ctx.scale)
        of_context = torch.zeros_like(context) if of_context is None else of_context.float()
        grad = of_context @ values.float().transpose(1, 2)
        if of_weights is not None:
            grad += of_weights
        grad = weights * (grad - (weights * grad).sum(-1, keepdim=True)) * ctx.scale
        of_values = (weights.transpose(1, 2) @ of_context).to(values.dtype)
        return *_run_backward(query, keys, v, grad.contiguous()), of_values, None, None, None, None


def additive_attention(
    query: Tensor, keys: Tensor, v: Tensor, values: Tensor, mask: Tensor, scale: float = 1.0, weights: bool = True
) -> tuple[Tensor, Tensor | None]:
    """See ``AdditiveAttention``; shapes and masks as in ``attnlab.kernels.additive.additive_attention``."""
    wanted = any(side.requires_grad for side in (query, keys, v, values))
    store = weights or (torch.is_grad_enabled() and wanted)
    context, drawn = AdditiveAttention.apply(query, keys, v, values, mask, scale, weights, store)
    return context, drawn


def _weights(scores: Tensor, log_sum: Tensor, mask: Tensor, scale: float) -> Tensor:
    return (scores * scale - log_sum.unsqueeze(-1)).exp().masked_fill(~mask.unsqueeze(1), 0.0)
