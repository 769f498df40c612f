"""Additive scores on a GPU, and all of additive attention in one pass, without the [B, T, S, A] tensor.

As on a CPU the tanh of a pair is bought with one exponential a query and one a key,

    r = 1 / (1 + e^{2q} e^{2k}) = (1 - tanh(q + k)) / 2,   e = sum_a v_a - 2 sum_a v_a r_a,   d tanh = 4 (r - r^2)

and here one reciprocal serves two pairs: w_1 / d_1 + w_2 / d_2 = (w_1 d_2 + w_2 d_1) / (d_1 d_2). A GPU takes the
reciprocal, like the tanh, in units of which it has an eighth as many as for products, so this halves what bounds the
kernel. It is exact while d_1 d_2 is a float32 number, that is |q| + |k| < 22 for all pairs of a tile; each tile looks,
and takes the exponential of every pair where that does not hold.

``prepare`` writes the exponentials, features first and two of them beside each other, so that one load brings both.
Scores: a program has a tile of queries and keys of one sentence and walks along the features. Backward: a program has
some features of some queries (or keys) and walks along the keys (or queries). One pass (``attended``): a program has
some queries and walks over the keys with an online softmax (Milakov and Gimelshein 2018), adding up the context as it
goes. All sums are in float32.
"""

from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.kernels.gpu.additive_programs import attend_tile, backward_tile, prepare_rows, scores_tile
from attnlab.kernels.gpu.parts import NVIDIA

WIDEST = 1024  # values that ``attended`` has registers for
MANY = 1024  # programs keep a GPU busy
ROWS = 16  # queries or keys whose largest number is looked at together
UNROLL = 8  # pairs of features whose loads are on their way together


class Side(NamedTuple):
    """Queries or keys, prepared."""

    values: Tensor  #: ``[B, N, A]``
    exp: Tensor  #: e^{2x}, ``[B, A/2, N]`` of two float32 each
    most: Tensor  #: the largest |x| of every ``ROWS`` rows


def prepare(values: Tensor) -> Side:
    """One side of all pairs."""
    values = values.contiguous()
    B, N, A = values.shape
    pairs = triton.cdiv(A, 2)
    exp = values.new_empty(B, pairs, N, dtype=torch.int64)
    most = values.new_empty(B, triton.cdiv(N, ROWS), dtype=torch.float32)
    prepare_rows[(most.size(1), B)](values, exp, most, N, A, pairs, BN=ROWS, BP=32)
    return Side(values, exp, most)


def _given(query: Side, keys: Side) -> tuple[Tensor, ...]:
    return query.values, keys.values, query.exp, keys.exp, query.most, keys.most


def _counts(query: Side, keys: Side) -> tuple[int, int]:
    """What a program reads the ``most`` of a sentence with: a power of two each."""
    return triton.next_power_of_2(query.most.size(1)), triton.next_power_of_2(keys.most.size(1))


def _block(count: int, most: int) -> int:
    return min(most, max(16, triton.next_power_of_2(count)))


def scores(query: Side, keys: Side, v: Tensor) -> Tensor:
    """v^T tanh(q_i + k_j), ``[B, T, S]`` in float32."""
    (B, T, A), S = query.values.shape, keys.values.size(1)
    out = query.most.new_empty(B, T, S)
    BS = _block(S, 64)
    # Few programs of many pairs would leave most of the GPU idle.
    BT = 16 if B * triton.cdiv(T, 16) * triton.cdiv(S, BS) >= MANY else 4
    COUNT_Q, COUNT_K = _counts(query, keys)
    scores_tile[(triton.cdiv(S, BS), triton.cdiv(T, BT), B)](
        *_given(query, keys), v, out, T, S, A, query.most.size(1), keys.most.size(1),
        BT=BT, BS=BS, COUNT_Q=COUNT_Q, COUNT_K=COUNT_K, UNROLL=UNROLL, FAST=NVIDIA, num_warps=2,
    )  # fmt: skip
    return out


def attended(query: Tensor, keys: Tensor, v: Tensor, values: Tensor, mask: Tensor, scale: float) -> Tensor:
    """The context of softmax(scale v^T tanh(q_i + k_j)) over the real tokens, ``[B, T, V]``; nothing else is kept."""
    q, k, values = prepare(query), prepare(keys), values.contiguous()
    (B, T, A), S, V = query.shape, keys.size(1), values.size(2)
    context = q.most.new_empty(B, T, V)
    BV = max(16, triton.next_power_of_2(V))
    BS = 16 if BV > 512 else 32  # the tile of values lies in shared memory, the sums in registers
    COUNT_Q, COUNT_K = _counts(q, k)
    attend_tile[(triton.cdiv(T, 16), B)](
        *_given(q, k), v.contiguous(), values, mask.to(torch.int8), context, scale, T, S, A, V,
        q.most.size(1), k.most.size(1), BT=16, BS=BS, BV=BV, COUNT_Q=COUNT_Q, COUNT_K=COUNT_K,
        UNROLL=UNROLL, FAST=NVIDIA, num_warps=4 if BV <= 256 else 8,
    )  # fmt: skip
    return context.to(values.dtype)


def gradient(own: Side, other: Side, v: Tensor, grad: Tensor, sum_v: bool) -> tuple[Tensor, Tensor | None]:
    """The gradient of one side in float32, and where asked that of v, from that of the scores: ``[B, M, N]``."""
    (B, N, A), M = own.values.shape, other.values.size(1)
    BN, BP = _block(N, 64), 8
    out = own.most.new_empty(B, N, A)
    shares = own.most.new_empty(B, triton.cdiv(N, BN), A) if sum_v else out
    COUNT_OWN, COUNT_OTHER = _counts(own, other)
    backward_tile[(triton.cdiv(N, BN), triton.cdiv(A, 2 * BP), B)](
        *_given(own, other), v, grad, out, shares, N, M, A, own.most.size(1), other.most.size(1),
        SUM_V=sum_v, BN=BN, BP=BP, COUNT_OWN=COUNT_OWN, COUNT_OTHER=COUNT_OTHER, FAST=NVIDIA, num_warps=1,
    )  # fmt: skip
    return out, grad.sum() - 2 * shares.sum((0, 1)) if sum_v else None


class AdditiveScores(Function):
    """v^T tanh(q_i + k_j), ``[B, T, S]``."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, keys: Tensor, v: Tensor) -> Tensor:
        q, k, v = prepare(query), prepare(keys), v.contiguous()
        ctx.save_for_backward(*q, *k, v)
        return scores(q, k, v).to(query.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        *sides, v = ctx.saved_tensors
        query, keys = Side(*sides[:3]), Side(*sides[3:])
        grad = grad.float().contiguous()
        of_keys, of_v = gradient(keys, query, v, grad, sum_v=True)
        of_query, _ = gradient(query, keys, v, grad.transpose(1, 2).contiguous(), sum_v=False)
        assert of_v is not None
        return of_query.to(query.values.dtype), of_keys.to(keys.values.dtype), of_v.to(v.dtype)
