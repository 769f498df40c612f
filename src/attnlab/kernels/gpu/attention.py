"""A step of softmax attention on a GPU: scores, weights and context in one kernel, and one for the way back.

A program has one sentence, whose keys and values no other one reads. ``ADDITIVE`` chooses between
e_j = sum_a v_a tanh(q_a + key_ja) and e_j = sum_a q_a key_ja. As everywhere, weights that cannot be seen beside the
largest are zero (``attnlab.kernels.denormals``).
"""

from typing import no_type_check

import triton
import triton.language as tl
from torch import Tensor

from attnlab.kernels.denormals import DEPTH
from attnlab.kernels.gpu.parts import load, load_row, tanh

LONGEST = 512  #: tokens of a sentence that a program can hold the weights of


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def _forward(
    query, keys, v, values, mask, weights, context, scale, depth, S, A, V, row_query,
    ADDITIVE: tl.constexpr, BS: tl.constexpr, BA: tl.constexpr,
):  # fmt: skip
    b, s = tl.program_id(0).to(tl.int64), tl.arange(0, BS)
    e = tl.zeros([BS], tl.float32)
    for start in range(0, A, BA):
        a = start + tl.arange(0, BA)
        q = load_row(query, b, row_query, a, A)
        k = load(keys + b * S * A, s, a, S, A)
        if ADDITIVE:
            e += tl.sum(tanh(q[None, :] + k) * load_row(v, 0, 0, a, A)[None, :], 1)
        else:
            e += tl.sum(q[None, :] * k, 1)
    real = tl.load(mask + b * S + s, mask=s < S, other=0) != 0
    e = tl.where(real, e * scale, float("-inf"))
    e -= tl.max(e, 0)
    p = tl.where(e < -depth, 0.0, tl.exp(e))
    p /= tl.sum(p, 0)
    tl.store(weights + b * S + s, p, mask=s < S)
    for start in range(0, V, BA):
        c = start + tl.arange(0, BA)
        found = tl.sum(p[:, None] * load(values + b * S * V, s, c, S, V), 0)
        tl.store(context + b * V + c, found, mask=c < V)


@triton.jit
@no_type_check
def _backward(
    query, keys, v, values, weights, grad_context, grad_weights, of_scores, of_query, scale, S, A, V,
    row_query, row_context, row_weights, row_scores,
    ADDITIVE: tl.constexpr, BY_WEIGHTS: tl.constexpr, BS: tl.constexpr, BA: tl.constexpr,
):  # fmt: skip
    b, s = tl.program_id(0).to(tl.int64), tl.arange(0, BS)
    g = tl.zeros([BS], tl.float32)
    for start in range(0, V, BA):
        c = start + tl.arange(0, BA)
        of_context = load_row(grad_context, b, row_context, c, V)
        g += tl.sum(of_context[None, :] * load(values + b * S * V, s, c, S, V), 1)
    if BY_WEIGHTS:
        g += load_row(grad_weights, b, row_weights, s, S)
    p = load_row(weights, b, S, s, S)
    g = p * (g - tl.sum(p * g, 0)) * scale
    tl.store(of_scores + b * row_scores + s, g, mask=s < S)
    for start in range(0, A, BA):
        a = start + tl.arange(0, BA)
        k = load(keys + b * S * A, s, a, S, A)
        if ADDITIVE:
            q = load_row(query, b, row_query, a, A)
            bent = tanh(q[None, :] + k)
            weight = load_row(v, 0, 0, a, A)
            found = weight * tl.sum(g[:, None] * (1 - bent * bent), 0)
        else:
            found = tl.sum(g[:, None] * k, 0)
        tl.store(of_query + b * A + a, found, mask=a < A)


def _blocks(S: int) -> dict[str, int]:
    """A tile of 4,096 numbers."""
    BS = max(16, triton.next_power_of_2(S))
    return {"BS": BS, "BA": max(16, min(128, 4096 // BS))}


def forward(
    query: Tensor, keys: Tensor, v: Tensor | None, values: Tensor, mask: Tensor, scale: float,
    weights: Tensor, context: Tensor,
) -> None:  # fmt: skip
    """A step from ``query`` ``[N, A]`` (projected, of an additive score), into ``weights`` and ``context``."""
    (N, S, A), V = keys.shape, values.size(2)
    _forward[(N,)](
        query, keys, query if v is None else v, values, mask, weights, context, scale, DEPTH, S, A, V,
        query.stride(0), ADDITIVE=v is not None, **_blocks(S),
    )  # fmt: skip


def backward(
    query: Tensor, keys: Tensor, v: Tensor | None, values: Tensor, scale: float, weights: Tensor,
    grad_context: Tensor, grad_weights: Tensor | None, of_scores: Tensor,
) -> Tensor:  # fmt: skip
    """The gradient of the query of a step; that of e goes to ``of_scores`` ``[N, S]``."""
    (N, S, A), V = keys.shape, values.size(2)
    of_query = keys.new_empty(N, A)
    given = weights if grad_weights is None else grad_weights
    _backward[(N,)](
        query, keys, query if v is None else v, values, weights, grad_context, given, of_scores, of_query, scale,
        S, A, V, query.stride(0), grad_context.stride(0), given.stride(0), of_scores.stride(0),
        ADDITIVE=v is not None, BY_WEIGHTS=grad_weights is not None, **_blocks(S),
    )  # fmt: skip
    return of_query
