"""Each kind of position against its paper's formula written out, or against the authors' published functions."""

import math
from functools import partial

import pytest
import torch

from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.alibi import Alibi, slopes
from attnlab.layers.positions.base import longest, offsets
from attnlab.layers.positions.concatenated import Concatenated
from attnlab.layers.positions.learned import Learned
from attnlab.layers.positions.music import Music
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.shaw import Shaw
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.positions.t5 import T5
from attnlab.types import ConfigError

D, H = 12, 3
WORDS = torch.randn(2, 5, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def made(position, causal=False, heads=H, **settings):
    return position(D, heads, causal, **settings).double()


@pytest.mark.parametrize("start", [0, 7])
def test_sinusoids_are_the_papers(start):
    added = made(Sinusoidal).embed(WORDS, start) - WORDS
    for t in range(5):
        for i in range(D // 2):
            angle = (start + t) / 10000 ** (2 * i / D)
            assert added[0, t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert added[1, t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_learned_rows_and_the_end_of_the_table():
    position = made(Learned, max_positions=6)
    torch.testing.assert_close(position.embed(WORDS[:, :2], 4), WORDS[:, :2] + position.table.weight[4:6])
    with pytest.raises(
        ConfigError, match=r"9 tokens came, and the learned positions end at 6: set position.max_positions=9"
    ):
        position.embed(WORDS, 4)


@pytest.mark.parametrize("kind", ["torch", "uniform", "normal", "xavier_uniform", "transformer"])
@pytest.mark.parametrize("make", [Learned, partial(Concatenated, kind="learned", position_dim=D)])
def test_learned_vectors_start_as_loud_whatever_the_initialisation_and_the_number_of_rows(kind, make):
    torch.manual_seed(1)
    for rows in (500, 8000):
        position = make(D, H, False, max_positions=rows, std=0.3)
        before = position.table.weight.clone()
        Initialization(kind, 1.0)(position)
        assert position.table.weight.std().item() == pytest.approx(0.3, rel=0.05)
        assert not torch.equal(before, position.table.weight)  # drawn anew, with the model's seed
    with pytest.raises(ConfigError, match=r"position\.std must be above 0, got 0"):
        make(D, H, False, std=0.0)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_concatenated_is_a_product_with_both(kind):
    position = made(Concatenated, position_dim=4, kind=kind)
    for t in range(5):
        p = (
            torch.tensor([f((3 + t) / 10000 ** (2 * i / 4)) for i in range(2) for f in (math.sin, math.cos)]).double()
            if kind == "sinusoidal"
            else position.table.weight[3 + t]
        )
        expected = position.W.weight @ torch.cat([WORDS[1, t], p])
        torch.testing.assert_close(position.embed(WORDS, 3)[1, t], expected, atol=1e-7, rtol=0)


def test_concatenation_with_identities_is_addition():
    position = made(Concatenated, position_dim=D)
    position.W.weight.data = torch.cat([torch.eye(D), torch.eye(D)], 1).double()
    torch.testing.assert_close(position.embed(WORDS, 2), made(Sinusoidal).embed(WORDS, 2))


@pytest.mark.parametrize("per_head", [False, True])
@pytest.mark.parametrize(("target", "source"), [(5, 5), (2, 7), (1, 4)])
def test_shaw_in_loops(per_head, target, source):
    k, size = 2, D // H
    position = made(Shaw, max_distance=k, per_head=per_head)
    query, weights = torch.randn(2, H, target, size).double(), torch.rand(2, H, target, source).double()
    bias, added = position.bias(query, source, 0.5), position.values(weights)
    for h in range(H):
        table = h if per_head else 0
        for t in range(target):
            i, z = source - target + t, torch.zeros(size).double()
            for j in range(source):
                clipped = max(-k, min(k, j - i)) + k
                expected = 0.5 * sum(query[1, h, t, x] * position.a_k[table, clipped, x] for x in range(size))
                torch.testing.assert_close(bias[1, h, t, j], expected)
                z = z + weights[1, h, t, j] * position.a_v[table, clipped]
            torch.testing.assert_close(added[1, h, t], z)


@pytest.mark.parametrize("per_head", [False, True])
@pytest.mark.parametrize(("target", "source"), [(5, 5), (2, 7), (1, 4), (9, 9)])
@pytest.mark.parametrize("k", [0, 2, 20])
def test_music_is_the_key_part_of_shaw(per_head, target, source, k):
    music, shaw = (made(kind, max_distance=k, per_head=per_head) for kind in (Music, Shaw))
    music.E_r = shaw.a_k
    query = torch.randn(2, H, target, D // H, dtype=torch.float64, requires_grad=True)
    skewed, plain = music.bias(query, source, 0.5), shaw.bias(query, source, 0.5)
    torch.testing.assert_close(skewed, plain, atol=1e-12, rtol=0)
    inputs = (query, shaw.a_k)
    got, want = (torch.autograd.grad(b.sin().sum(), inputs) for b in (skewed, plain))
    torch.testing.assert_close(got, want, atol=1e-12, rtol=0)


def public_t5_bucket(distance, bidirectional, buckets, max_distance):
    """The published function of the T5 code, on one number: ``relative_position`` is memory minus query."""
    result, n = 0, -distance
    if bidirectional:
        buckets //= 2
        result += buckets * (n < 0)
        n = abs(n)
    else:
        n = max(n, 0)
    exact = buckets // 2
    if n < exact:
        return result + n
    large = exact + int(math.log(n / exact) / math.log(max_distance / exact) * (buckets - exact))
    return result + min(large, buckets - 1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 20)])
def test_t5_buckets(causal, buckets, max_distance):
    position = made(T5, causal, buckets=buckets, max_distance=max_distance)
    bias = position.bias(torch.zeros(1, H, 200, D // H).double(), 200, 1.0)
    for i in range(0, 200, 7):
        for j in range(i + 1 if causal else 200):
            # Powers of the growth sit on the edge of a bucket, where float32 and float64 may part.
            number = public_t5_bucket(j - i, not causal, buckets, max_distance)
            near = {number, public_t5_bucket(j - i, not causal, buckets, max_distance + 1e-3)}
            assert any(torch.equal(bias[0, :, i, j], position.b.weight[n]) for n in near)
    with pytest.raises(ConfigError, match="divisible by 4"):
        made(T5, buckets=6)


def test_rotary_turns_pairs_and_products_see_the_distance_alone():
    position, size = made(Rotary, heads=2), D // 2
    q, k = torch.randn(2, 1, 1, 1, size).double()
    for t in (0, 3):
        turned = position.rotate(q, t)
        for i in range(size // 2):
            x = complex(*q[0, 0, 0, 2 * i : 2 * i + 2]) * complex(
                math.cos(t * 10000 ** (-2 * i / size)), math.sin(t * 10000 ** (-2 * i / size))
            )
            assert turned[0, 0, 0, 2 * i].item() == pytest.approx(x.real, abs=1e-12)
            assert turned[0, 0, 0, 2 * i + 1].item() == pytest.approx(x.imag, abs=1e-12)
    products = [(position.rotate(q, m) * position.rotate(k, m - 4)).sum().item() for m in (4, 9, 40)]
    assert products == pytest.approx([products[0]] * 3, abs=1e-12)
    assert abs(products[0] - (q * k).sum().item()) > 1e-3
    with pytest.raises(ConfigError, match="odd"):
        Rotary(9, 3, False)


def test_alibi_slopes_are_the_papers():
    assert slopes(8) == [2**-i for i in range(1, 9)]
    assert slopes(16) == pytest.approx([2 ** (-i / 2) for i in range(1, 17)])
    assert slopes(12) == pytest.approx([*slopes(8), *(2 ** (-i / 2) for i in (1, 3, 5, 7))])
    bias = made(Alibi, heads=2).bias(torch.zeros(1, 2, 2, 6).double(), 5, 1.0)
    for h, m in enumerate((2**-4, 2**-8)):
        assert bias[0, h].tolist() == [[-m * abs(j - i) for j in range(5)] for i in (3, 4)]


@pytest.mark.parametrize("kind", [NoPosition, Rotary, Alibi, T5, Shaw, Music])
def test_relative_kinds_and_none_leave_the_words_alone(kind):
    assert made(kind, heads=2).embed(WORDS, 3) is WORDS
    assert kind.relative == (kind is not NoPosition)


def test_offsets_count_from_the_end():
    assert offsets(2, 4).tolist() == [[-2, -1, 0, 1], [-3, -2, -1, 0]]


@pytest.mark.parametrize("kind", [Alibi, Music, NoPosition, Rotary, Shaw, Sinusoidal, T5, Concatenated])
def test_only_tables_of_positions_end(kind):
    """What claims to know any number of positions is given more than any of its tables has rows."""
    position = made(kind)
    assert longest(torch.nn.ModuleList([position])) is None
    words = torch.randn(1, 300, D, dtype=torch.float64)
    heads = words.unflatten(-1, (H, D // H)).transpose(1, 2)
    assert position.embed(words, 900).shape == words.shape
    assert position.rotate(heads, 900).shape == heads.shape
    bias = position.bias(heads, 1200, 0.5)
    assert bias is None or (torch.isfinite(bias).all() and bias.shape[-2:] == (300, 1200))
    if position.weighs_values:
        assert position.values(torch.ones(1, H, 300, 1200, dtype=torch.float64)).shape == heads.shape


@pytest.mark.parametrize("make", [Learned, partial(Concatenated, kind="learned", position_dim=D)])
def test_the_shortest_table_of_a_part_counts(make):
    parts = torch.nn.ModuleList([make(D, H, False, max_positions=7), made(Alibi), make(D, H, False, max_positions=5)])
    assert longest(parts) == 5
    parts[2].embed(WORDS.float(), 0)
    with pytest.raises(ConfigError, match="end at 5"):
        parts[2].embed(WORDS.float(), 1)
