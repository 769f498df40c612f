"""The forecaster: its equations in scalar loops, forward and gradients; a window alone or in a batch; controls."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.hard_st import HardSt
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.normalizers.sparsemax import Sparsemax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.coverage import Coverage
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.scores.uniform import Uniform
from attnlab.attention.windows.all import All
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.encoders.tcn import Tcn
from attnlab.errors import ConfigError
from attnlab.layers.initialization import Initialization
from attnlab.models.forecaster import Forecaster

SIZE = {"lookback": 7, "horizon": 3, "channels": 2, "targets": 1, "features": 2, "season": 2}
GENERAL = partial(Attention, LuongGeneral, All, Softmax)


def model(encoder=Embedding, attention=GENERAL, size=SIZE, **settings):
    torch.manual_seed(2)
    given = {"embedding_dim": 4, "state_dim": 5} | settings | size
    built = Forecaster(encoder, attention, Initialization(kind="torch"), **given).double().eval()
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.4)
    return built


def windows(rows=3, size=SIZE):
    draw = torch.Generator().manual_seed(1)
    shapes = (
        (size["lookback"], size["channels"]),
        (size["lookback"], size["features"]),
        (size["horizon"], size["features"]),
    )
    return [torch.randn(rows, *shape, generator=draw, dtype=torch.float64) for shape in shapes]


def looped(net, past, before, known, patch, center):
    """One window, number by number: tensors are read as lists of rows."""
    whole = past
    L, H, C = SIZE["lookback"], SIZE["horizon"], SIZE["channels"]

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    def affine(layer, x):
        bias = [0.0] * len(layer.weight) if layer.bias is None else layer.bias
        return [dot(row, x) + b for row, b in zip(layer.weight, bias, strict=True)]

    w = [1.0] if net.w is None else [power / sum(torch.exp(net.w)) for power in torch.exp(net.w)]
    n = net.seasons
    if n:
        past = [
            [past[j][c] - sum(w[k] * past[j - 2 * (k + 1)][c] for k in range(n)) for c in range(C)]
            for j in range(2 * n, L)
        ]
        before, L = before[2 * n :], L - 2 * n
    level = [
        {"last": past[L - 1][c], "mean": sum(past[j][c] for j in range(L)) / L, "none": 0.0}[center] for c in range(C)
    ]
    moved = [[past[j][c] - level[c] for c in range(C)] for j in range(L)]
    places = L // patch
    states = []
    for place in range(places):
        first = L - places * patch + place * patch
        read = [value for j in range(first, first + patch) for value in (*moved[j], *before[j])]
        states.append(affine(net.points, read))
    size = len(states[0])
    summary = [sum(state[d] for state in states) / places for d in range(size)]
    W_a = net.attention.score.W_a.weight
    told, weights = [], []
    for i in range(H):
        asked, given = affine(net.W_s, summary), affine(net.W_g, known[i])
        query = [net.u[i][d] + asked[d] + given[d] for d in range(size)]
        keys = [[state[d] + net.p[j][d] for d in range(size)] for j, state in enumerate(states)]
        scores = [dot(query, [dot(row, key) for row in W_a]) for key in keys]
        powers = [torch.exp(score) for score in scores]
        a = [power / sum(powers) for power in powers]
        context = [sum(a[j] * states[j][d] for j in range(places)) for d in range(size)]
        hidden = [max(x + y, 0.0 * x) for x, y in zip(affine(net.W_c, context), affine(net.W_q, query), strict=True)]
        (value,) = affine(net.output, hidden)
        value = value + level[0]
        for k in range(n):
            value = value + w[k] * whole[SIZE["lookback"] - 2 * (k + 1) + i % 2][0]
        if net.linear is not None:
            value = value + affine(net.linear, [moved[j][0] for j in range(L)])[i]
        told.append(value)
        weights.append(a)
    return told, weights


@pytest.mark.parametrize("patch", [1, 3])
@pytest.mark.parametrize("center", ["last", "mean", "none"])
@pytest.mark.parametrize("skips", [{}, {"seasons": 1, "linear_skip": True}, {"seasons": 2}])
def test_the_equations_in_loops(patch, center, skips):
    net = model(patch=patch, center=center, **skips)
    past, before, known = windows()
    found = net(past, before, known)
    found.values.square().sum().backward()
    ours = {name: parameter.grad.clone() for name, parameter in net.named_parameters()}
    net.zero_grad()
    total = 0.0
    for row in range(len(past)):
        told, weights = looped(net, past[row], before[row], known[row], patch, center)
        total = total + sum(value**2 for value in told)
        np.testing.assert_allclose(found.values[row, :, 0, 0].tolist(), [value.item() for value in told], rtol=1e-9)
        np.testing.assert_allclose(
            found.weights[row].detach(), [[a.item() for a in line] for line in weights], rtol=1e-9
        )
    total.backward()
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, rtol=1e-8, atol=1e-10)


ENCODERS = {
    "tcn": partial(Tcn, hidden_dim=4, layers=2), "gru": partial(Recurrent, cell="gru", hidden_dim=4),
    "lstm": partial(Recurrent, cell="lstm", hidden_dim=4, layers=2),
}  # fmt: skip
MECHANISMS = {
    "additive": partial(Attention, Bahdanau, All, Softmax), "sparse": partial(Attention, LuongDot, All, Sparsemax),
    "hard": partial(Attention, LuongGeneral, All, HardSt), "mean": partial(Attention, Uniform, All, Softmax),
    "none": NoAttention,
}  # fmt: skip


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_window_alone_or_in_a_batch(encoder, mechanism):
    net = model(ENCODERS[encoder], MECHANISMS[mechanism], linear_skip=True)
    parts = windows(4)
    together = net(*parts)
    assert together.values.shape == (4, 3, 1, 1)
    for row in range(4):
        alone = net(*(part[row : row + 1] for part in parts))
        torch.testing.assert_close(alone.values[0], together.values[row], rtol=1e-10, atol=1e-10)
    assert net.has_weights is (together.weights is not None) is (mechanism != "none")
    if together.weights is not None:
        torch.testing.assert_close(together.weights.sum(-1), torch.ones(4, 3, dtype=torch.float64))


def test_a_correction_begins_at_nothing():
    torch.manual_seed(2)
    size = SIZE | {"horizon": 5}
    net = Forecaster(Embedding, GENERAL, Initialization(), seasons=1, linear_skip=True, **size).eval()
    past, before, known = (part.float() for part in windows(size=size))
    drift = past[:, 6:, :1] - past[:, 4:5, :1]  # what has changed since a season before goes on
    torch.testing.assert_close(net(past, before, known).values[..., 0], past[:, [5, 6, 5, 6, 5], :1] + drift)


def test_a_level_that_is_added_everywhere_is_added_to_the_forecast():
    for center in ("last", "mean"):
        net = model(center=center, linear_skip=True)
        past, before, known = windows()
        moved = net(past + 3.0, before, known).values - net(past, before, known).values
        torch.testing.assert_close(moved, torch.full_like(moved, 3.0))


def test_lags_name_the_most_recent_point_of_a_place():
    assert model(patch=3).lags == ["4", "1"]
    assert model().lags == ["7", "6", "5", "4", "3", "2", "1"]


def test_what_heads_look_at():
    heads = partial(MultiHead, LuongDot, All, Softmax, heads=2)
    net = model(attention=heads)
    parts = windows()
    found = net.weights_by_head(*parts)
    assert found.shape == (3, 1, 2, 3, 7)
    torch.testing.assert_close(found.mean((1, 2)), net(*parts).weights)
    assert model().weights_by_head(*parts) is None


def test_drawn_weights_are_learnt_from():
    net = model(attention=partial(Attention, LuongGeneral, All, Sampled)).train()
    found = net(*windows())
    extra = net.surrogate(found, torch.zeros(3, dtype=torch.float64))
    assert extra is not None
    assert math.isfinite(extra.item())
    assert net.eval().surrogate(net(*windows()), torch.zeros(3, dtype=torch.float64)) is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"patch": 8}, "model.patch=8 is longer than a past, data.lookback=7"),
        ({"quantiles": [0.1, 0.9]}, "expected rising numbers between 0 and 1 with 0.5"),
        ({"quantiles": [0.5, 0.1]}, "expected rising numbers"),
        ({"quantiles": [0.5, 1.0]}, "expected rising numbers"),
        ({"seasons": 2, "size": SIZE | {"season": 4}}, "raise it to 9 or more"),
        ({"attention": partial(Attention, Coverage, All, Softmax)}, "Coverage asks where earlier steps have looked"),
    ],
)
def test_what_cannot_be(settings, told):
    with pytest.raises(ConfigError) as caught:
        model(**settings)
    assert told in str(caught.value)
