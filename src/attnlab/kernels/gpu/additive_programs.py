"""The programs behind ``additive``: scores, context and gradients of tiles of queries and keys."""

from typing import no_type_check

import triton
import triton.language as tl

from attnlab.kernels.gpu.parts import inverse, load

SAFE = tl.constexpr(22.0)  # ln(float32's largest) / 4


@triton.jit
@no_type_check  # by the shape checks of the tests, which would stand between Triton and the source
def _bits(x):
    return x.to(tl.int32, bitcast=True).to(tl.int64) & 0xFFFFFFFF


@triton.jit
@no_type_check
def prepare_rows(x, exp, most, N, A, PAIRS, BN: tl.constexpr, BP: tl.constexpr):
    """e^{2x}, features first, in pairs: ``[A/2, N]`` of two float32 each, and the largest |x| of ``BN`` rows."""
    b, n = tl.program_id(1).to(tl.int64), tl.program_id(0) * BN + tl.arange(0, BN)
    top = tl.zeros([BN], tl.float32)
    for start in range(0, PAIRS, BP):
        p = start + tl.arange(0, BP)
        x1, x2 = load(x + b * N * A, n, 2 * p, N, A), load(x + b * N * A, n, 2 * p + 1, N, A)
        top = tl.maximum(top, tl.max(tl.maximum(tl.abs(x1), tl.abs(x2)), 1))
        both = (_bits(tl.exp(2 * x2)) << 32) | _bits(tl.exp(2 * x1))
        place = exp + b * PAIRS * N + p[:, None] * N + n[None, :]
        tl.store(place, tl.trans(both), mask=(p < PAIRS)[:, None] & (n < N)[None, :])
    tl.store(most + b * tl.num_programs(0) + tl.program_id(0), tl.max(top, 0))


@triton.jit
@no_type_check
def _split(two):
    """The two float32 of an int64."""
    return two.to(tl.int32).to(tl.float32, bitcast=True), (two >> 32).to(tl.int32).to(tl.float32, bitcast=True)


@triton.jit
@no_type_check
def _largest(most, b, blocks, COUNT: tl.constexpr):
    n = tl.arange(0, COUNT)
    return tl.max(tl.load(most + b * blocks + n, mask=n < blocks, other=0.0), 0)


@triton.jit
@no_type_check
def _fit(most, b, blocks, COUNT: tl.constexpr, most_other, blocks_other, COUNT_OTHER: tl.constexpr):
    """Whether two reciprocals can be had by one for all pairs of a sentence."""
    return _largest(most, b, blocks, COUNT) + _largest(most_other, b, blocks_other, COUNT_OTHER) < SAFE


@triton.jit
@no_type_check
def _added(slope, share, given, r, SUM_V: tl.constexpr):
    """The sums of a gradient with g (r - r^2), and where asked g r, added."""
    slope += given * (r - r * r)
    if SUM_V:
        share += given * r
    return slope, share


@triton.jit
@no_type_check
def _tile(
    query, keys, exp_q, exp_k, v, safe, b, t, s, T, S, A,
    BT: tl.constexpr, BS: tl.constexpr, UNROLL: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """The scores of a tile of pairs, sum_a v_a - 2 sum_a v_a r_a."""
    total, weight = tl.zeros([BT, BS], tl.float32), 0.0
    # Rows beyond the last are the last again: numbers nobody reads are cheaper than masks.
    t, s = tl.minimum(t, T - 1), tl.minimum(s, S - 1)
    if safe:
        pairs = (A + 1) // 2
        eq, ek = exp_q + b * T * pairs + t, exp_k + b * S * pairs + s
        for start in range(0, pairs, UNROLL):
            for step in tl.static_range(UNROLL):
                a = 2 * (start + step)
                pair = tl.minimum(start + step, pairs - 1)
                q1, q2 = _split(tl.load(eq + pair * T))
                k1, k2 = _split(tl.load(ek + pair * S))
                v1 = tl.where(a < A, tl.load(v + tl.minimum(a, A - 1)).to(tl.float32), 0.0)
                v2 = tl.where(a + 1 < A, tl.load(v + tl.minimum(a + 1, A - 1)).to(tl.float32), 0.0)
                d1, d2 = q1[:, None] * k1[None, :] + 1, q2[:, None] * k2[None, :] + 1
                total += (v1 * d2 + v2 * d1) * inverse(d1 * d2, FAST)
                weight += v1 + v2
    else:
        q, k = query + b * T * A + t * A, keys + b * S * A + s * A
        for a in range(0, A):
            x, y = tl.load(q + a).to(tl.float32), tl.load(k + a).to(tl.float32)
            v1 = tl.load(v + a).to(tl.float32)
            total += v1 / (1 + tl.exp(2 * (x[:, None] + y[None, :])))
            weight += v1
    return weight - 2 * total


@triton.jit
@no_type_check
def scores_tile(
    query, keys, exp_q, exp_k, most_q, most_k, v, scores, T, S, A, blocks_q, blocks_k,
    COUNT_Q: tl.constexpr, COUNT_K: tl.constexpr,
    BT: tl.constexpr, BS: tl.constexpr, UNROLL: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(2).to(tl.int64)
    t, s = tl.program_id(1) * BT + tl.arange(0, BT), tl.program_id(0) * BS + tl.arange(0, BS)
    safe = _fit(most_q, b, blocks_q, COUNT_Q, most_k, blocks_k, COUNT_K)
    e = _tile(query, keys, exp_q, exp_k, v, safe, b, t, s, T, S, A, BT, BS, UNROLL, FAST)
    tl.store(scores + b * T * S + t[:, None] * S + s[None, :], e, mask=(t < T)[:, None] & (s < S)[None, :])


@triton.jit
@no_type_check
def attend_tile(
    query, keys, exp_q, exp_k, most_q, most_k, v, values, mask, context, scale, T, S, A, V, blocks_q, blocks_k,
    COUNT_Q: tl.constexpr, COUNT_K: tl.constexpr,
    BT: tl.constexpr, BS: tl.constexpr, BV: tl.constexpr, UNROLL: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(1).to(tl.int64)
    t, c = tl.program_id(0) * BT + tl.arange(0, BT), tl.arange(0, BV)
    safe = _fit(most_q, b, blocks_q, COUNT_Q, most_k, blocks_k, COUNT_K)
    top = tl.full([BT], float("-inf"), tl.float32)
    total, summed = tl.zeros([BT], tl.float32), tl.zeros([BT, BV], tl.float32)
    for first in range(0, S, BS):
        s = first + tl.arange(0, BS)
        e = _tile(query, keys, exp_q, exp_k, v, safe, b, t, s, T, S, A, BT, BS, UNROLL, FAST)
        real = tl.load(mask + b * S + s, mask=s < S, other=0) != 0
        e = tl.where(real[None, :], e * scale, float("-inf"))
        new = tl.maximum(top, tl.max(e, 1))
        least = tl.where(new == float("-inf"), 0.0, new)  # padding alone so far
        p, shrink = tl.exp(e - least[:, None]), tl.exp(top - least)
        total = total * shrink + tl.sum(p, 1)
        found = load(values + b * S * V, s, c, S, V)
        summed = summed * shrink[:, None] + tl.dot(p, found, input_precision="tf32x3")
        top = new
    place = context + b * T * V + t[:, None] * V + c[None, :]
    tl.store(place, summed / total[:, None], mask=(t < T)[:, None] & (c < V)[None, :])


@triton.jit
@no_type_check
def backward_tile(
    own, other, exp_own, exp_other, most_own, most_other, v, grad, of_own, of_v, N, M, A, blocks_own, blocks_other,
    COUNT_OWN: tl.constexpr, COUNT_OTHER: tl.constexpr,
    SUM_V: tl.constexpr, BN: tl.constexpr, BP: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """Gradient of one side (``own``, N rows) of the pairs with the ``other`` (M rows), from ``grad`` ``[B, M, N]``.

    sum_m g_m (r_m - r_m^2) for each row and feature, and where ``SUM_V`` sum_nm g r a program. The features come two by
    two: 1 stands for the even ones, 2 for the odd.
    """
    b = tl.program_id(2).to(tl.int64)
    n, p = tl.program_id(0) * BN + tl.arange(0, BN), tl.program_id(1) * BP + tl.arange(0, BP)
    slope1, slope2 = tl.zeros([BP, BN], tl.float32), tl.zeros([BP, BN], tl.float32)
    share1, share2 = tl.zeros([BP, BN], tl.float32), tl.zeros([BP, BN], tl.float32)
    # Rows and features beyond the last are the last again: numbers nobody reads are cheaper than masks.
    pairs = (A + 1) // 2
    row, pair = tl.minimum(n, N - 1), tl.minimum(p, pairs - 1)
    a1, a2 = 2 * pair, tl.minimum(2 * pair + 1, A - 1)
    g = grad + b * M * N + row
    if _fit(most_own, b, blocks_own, COUNT_OWN, most_other, blocks_other, COUNT_OTHER):
        x1, x2 = _split(tl.load(exp_own + b * N * pairs + pair[:, None] * N + row[None, :]))
        ey = exp_other + b * M * pairs + pair * M
        for m in range(0, M):
            y1, y2 = _split(tl.load(ey + m))
            given = tl.load(g + m * N)[None, :]
            d1, d2 = x1 * y1[:, None] + 1, x2 * y2[:, None] + 1
            both = inverse(d1 * d2, FAST)
            r1, r2 = d2 * both, d1 * both
            slope1, share1 = _added(slope1, share1, given, r1, SUM_V)
            slope2, share2 = _added(slope2, share2, given, r2, SUM_V)
    else:
        mine = own + b * N * A + row[None, :] * A
        z1, z2 = tl.load(mine + a1[:, None]).to(tl.float32), tl.load(mine + a2[:, None]).to(tl.float32)
        for m in range(0, M):
            y = other + b * M * A + m * A
            given = tl.load(g + m * N)[None, :]
            r1 = 1 / (1 + tl.exp(2 * (z1 + tl.load(y + a1).to(tl.float32)[:, None])))
            r2 = 1 / (1 + tl.exp(2 * (z2 + tl.load(y + a2).to(tl.float32)[:, None])))
            slope1, share1 = _added(slope1, share1, given, r1, SUM_V)
            slope2, share2 = _added(slope2, share2, given, r2, SUM_V)
    place = of_own + b * N * A + n[None, :] * A + 2 * p[:, None]
    inside = (n < N)[None, :] & (p < pairs)[:, None]
    tl.store(place, 4 * slope1 * tl.load(v + a1).to(tl.float32)[:, None], mask=inside)
    inside2 = (n < N)[None, :] & (2 * p + 1 < A)[:, None]
    tl.store(place + 1, 4 * slope2 * tl.load(v + a2).to(tl.float32)[:, None], mask=inside2)
    if SUM_V:
        place = of_v + (b * tl.num_programs(0) + tl.program_id(0)) * A + 2 * p
        tl.store(place, tl.sum(tl.where((n < N)[None, :], share1, 0.0), 1), mask=p < pairs)
        tl.store(place + 1, tl.sum(tl.where((n < N)[None, :], share2, 0.0), 1), mask=2 * p + 1 < A)
