"""Every pooling against a scalar loop of its equation, alone and in a batch, with every mechanism that fits it."""

from functools import cache

import pytest
import torch
from composing import CONF, compose
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.tanh_dot import TanhDot
from attnlab.attention.windows.all import All
from attnlab.encoders.recurrent import Recurrent
from attnlab.errors import ConfigError
from attnlab.layers.dims import SourceDims
from attnlab.pooling.context_vector import ContextVector
from attnlab.pooling.last import Last
from attnlab.pooling.last_state import LastState
from attnlab.pooling.max import Max
from attnlab.pooling.mean import Mean
from attnlab.pooling.structured import Structured, likeness
from attnlab.types import Encoded

MECHANISMS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))
POOLINGS = sorted(path.stem for path in (CONF / "pooling").glob("*.yaml"))
LENGTHS, D = [5, 2, 1], 4
DIMS = SourceDims(states=D, summary=D, final=D, layers=1, parts=1)


def texts() -> Encoded:
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    states = torch.randn(len(LENGTHS), max(LENGTHS), D, dtype=torch.float64) * mask[..., None]
    return Encoded(
        states.requires_grad_(), mask, torch.randn(len(LENGTHS), D, dtype=torch.float64).requires_grad_(), ()
    )


def alone(encoded: Encoded, row: int) -> Encoded:
    keep = slice(row, row + 1)
    return Encoded(encoded.states[keep, : LENGTHS[row]], encoded.mask[keep, : LENGTHS[row]], encoded.summary[keep], ())


def with_score(score):
    return lambda **sizes: Attention(score, All, Softmax, **sizes)


def softmax(scores):
    largest = max(float(score.detach()) for score in scores)
    exps = [torch.exp(score - largest) for score in scores]
    return [e / sum(exps) for e in exps]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def last_state(pooling, states, summary):
    """The tutorial's: a = softmax(H q), z = H^T a, with a batch of one."""
    a = softmax([dot(h, summary) for h in states])
    return sum(weight * h for weight, h in zip(a, states, strict=True)), 0.0


def looks(pooling, states):
    """Yang et al. 2016, (5) to (7), a row of U at a time."""
    score = pooling.attention.score
    found, rows = [], []
    for u in pooling.U:
        keys = [[torch.tanh(dot(w, h) + b) for w, b in zip(score.W.weight, score.W.bias, strict=True)] for h in states]
        a = softmax([dot(key, u) for key in keys])
        rows.append(a)
        found.append(sum(weight * h for weight, h in zip(a, states, strict=True)))
    return torch.cat(found), rows


def context_vector(pooling, states, summary):
    return looks(pooling, states)[0], 0.0


def structured(pooling, states, summary):
    """Lin et al. 2017, (6) to (8)."""
    vector, rows = looks(pooling, states)
    penalty = 0.0
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            penalty = penalty + (dot(one, other) - float(i == j)) ** 2
    return vector, pooling.penalty * penalty


def mean(pooling, states, summary):
    return sum(states) / len(states), 0.0


def largest(pooling, states, summary):
    return torch.stack([max((h[d] for h in states), key=lambda value: float(value.detach())) for d in range(D)]), 0.0


def last(pooling, states, summary):
    return summary, 0.0


TWINS = {
    "last_state": (lambda: LastState(DIMS, with_score(LuongDot)), last_state),
    "context_vector": (lambda: ContextVector(DIMS, with_score(TanhDot), query_dim=3), context_vector),
    "structured": (lambda: Structured(DIMS, with_score(TanhDot), query_dim=3, looks=3, penalty=0.7), structured),
    "mean": (lambda: Mean(DIMS), mean),
    "max": (lambda: Max(DIMS), largest),
    "last": (lambda: Last(DIMS), last),
}


def ready(pooling):
    for part in pooling.modules():
        if hasattr(part, "initialize"):
            part.initialize()
    return pooling.double()


def test_every_pooling_has_a_twin():
    assert set(TWINS) == set(POOLINGS)


@pytest.mark.parametrize("name", TWINS)
def test_forward_and_gradients_are_those_of_a_loop(name):
    make, twin = TWINS[name]
    pooling, encoded = ready(make()), texts()
    found = pooling(encoded)
    assert found.vector.shape == (len(LENGTHS), pooling.output_dim)
    penalties = torch.zeros(len(LENGTHS), dtype=torch.float64) if found.penalty is None else found.penalty
    expected, extra = [], []
    for row, length in enumerate(LENGTHS):
        vector, penalty = twin(pooling, list(encoded.states[row, :length]), encoded.summary[row])
        expected.append(vector)
        extra.append(torch.as_tensor(penalty, dtype=torch.float64))
    torch.testing.assert_close(found.vector, torch.stack(expected), atol=1e-12, rtol=0)
    torch.testing.assert_close(penalties, torch.stack(extra), atol=1e-12, rtol=0)
    parameters = [encoded.states, encoded.summary, *pooling.parameters()]
    ours, theirs = (
        torch.autograd.grad(vector.sin().sum() + more.sum(), parameters, allow_unused=True)
        for vector, more in ((found.vector, penalties), (torch.stack(expected), torch.stack(extra)))
    )
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", TWINS)
def test_a_text_alone_or_in_a_batch_is_the_same(name):
    pooling, encoded = ready(TWINS[name][0]()), texts()
    found = pooling(encoded)
    for row, length in enumerate(LENGTHS):
        apart = pooling(alone(encoded, row))
        torch.testing.assert_close(apart.vector[0], found.vector[row], atol=1e-12, rtol=0)
        if found.weights is not None:
            torch.testing.assert_close(apart.weights[0], found.weights[row, :, :length], atol=1e-12, rtol=0)
            assert (found.weights[row, :, length:] == 0).all()


def test_a_text_without_words_is_refused():
    for make, _ in TWINS.values():
        encoded = texts()._replace(mask=torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.bool))
        with pytest.raises(ValueError, match="no real token"):
            ready(make())(encoded)


class Tutorial(nn.Module):
    """The widely copied BiLSTM with attention, as published, a batch of one: scores over all states, softmax, sum."""

    def __init__(self, lstm, linear):
        super().__init__()
        self.lstm, self.linear = lstm, linear

    def forward(self, embedded):
        outputs, (final, _) = self.lstm(embedded.transpose(0, 1))  # [S, 1, 2H]; [2, 1, H]
        outputs, query = outputs.transpose(0, 1), torch.cat([final[0], final[1]], 1)  # [1, S, 2H]; [1, 2H]
        weights = torch.softmax(torch.bmm(outputs, query.unsqueeze(2)).squeeze(2), 1)
        return self.linear(torch.bmm(outputs.transpose(1, 2), weights.unsqueeze(2)).squeeze(2)), weights


def test_the_bilstm_of_the_tutorial():
    encoder = Recurrent(6, "lstm", 3, 1, True).double()
    pooling = ready(LastState(encoder.dims, with_score(LuongDot)))
    linear = nn.Linear(6, 2).double()
    lstm = nn.LSTM(6, 3, bidirectional=True).double()
    for way, suffix in zip(encoder.rnns, ("_l0", "_l0_reverse"), strict=True):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(lstm, name + suffix).data.copy_(getattr(way, f"{name}_l0").data)
    words = torch.randn(3, max(LENGTHS), 6, dtype=torch.float64)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    found = pooling(encoder(words, mask))
    for row, length in enumerate(LENGTHS):
        logits, weights = Tutorial(lstm, linear)(words[row : row + 1, :length])
        torch.testing.assert_close(linear(found.vector)[row], logits[0], atol=1e-12, rtol=0)
        torch.testing.assert_close(found.weights[row, 0, :length], weights[0], atol=1e-12, rtol=0)


def test_looks_that_agree_cost_most():
    same = torch.full((1, 2, 4), 0.25)
    apart = torch.tensor([[[1.0, 0, 0, 0], [0, 1.0, 0, 0]]])
    assert likeness(apart).item() == 0
    assert likeness(same).item() == pytest.approx(2 * (0.25 - 1) ** 2 + 2 * 0.25**2)


@cache
def part(*overrides):
    config = compose("task=classification", *overrides)
    return OmegaConf.create(OmegaConf.to_container(config.pooling, resolve=True))


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("name", ["last_state", "context_vector"])
def test_every_mechanism_without_a_history_stands_in_it(name, mechanism):
    build = instantiate(part(f"pooling={name}", f"attention={mechanism}"))
    try:
        pooling = ready(build(source=SourceDims(8, 8, 8, 1, 1)))
    except ConfigError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert refused.startswith(f"pooling={name} looks at a text at once")
        return
    assert not pooling.attention.needs_history
    mask = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
    states = torch.randn(3, 5, 8, dtype=torch.float64) * mask[..., None]
    encoded = Encoded(states, mask, torch.randn(3, 8, dtype=torch.float64), ())
    found = pooling.eval()(encoded)
    assert found.vector.shape == (3, pooling.output_dim)
    assert found.vector.isfinite().all()
    one = pooling(Encoded(states[1:2, :2], mask[1:2, :2], encoded.summary[1:2], ()))
    torch.testing.assert_close(one.vector[0], found.vector[1], atol=1e-10, rtol=0)


def test_those_that_ask_for_a_history_are_refused_by_name():
    for mechanism, part_name in (("coverage", "Coverage"), ("monotonic", "Monotonic"), ("luong_local_m", "LocalM")):
        with pytest.raises(ConfigError, match=part_name):
            instantiate(part("pooling=context_vector", f"attention={mechanism}"))(source=DIMS)


def test_several_looks_at_nothing_are_refused():
    with pytest.raises(ConfigError, match=r"4 looks at nothing"):
        instantiate(part("pooling=structured", "attention=none"))(source=DIMS)
