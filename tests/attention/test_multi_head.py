"""Heads around any mechanism: against torch's MultiheadAttention; fused against written out; with a past a head."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import Heads, MultiHead
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.types import ConfigError, Encoded

B, T, S, Q, K, H = 3, 4, 6, 12, 10, 3
MASK = torch.arange(S) < torch.tensor([6, 3, 1])[:, None]


def sentence():
    states = torch.randn(B, S, K, dtype=torch.float64) * MASK[..., None]
    return Encoded(states, MASK, states.sum(1), (states[:, :1],))


def heads(score, normalizer=Softmax, **settings):
    return MultiHead(score, All, normalizer, Q, K, heads=H, **settings).double().eval()


def test_context_weights_and_gradients_equal_torch():
    attention, encoded = heads(ScaledDot), sentence()
    theirs = nn.MultiheadAttention(Q, H, bias=False, kdim=K, vdim=K, batch_first=True).double().eval()
    theirs.q_proj_weight, theirs.k_proj_weight = attention.W_q.weight, attention.W_k.weight
    theirs.v_proj_weight, theirs.out_proj.weight = attention.W_v.weight, attention.W_o.weight
    query = torch.randn(B, T, Q, dtype=torch.float64, requires_grad=True)
    expected, by_head = theirs(
        query, encoded.states, encoded.states, key_padding_mask=~MASK, average_attn_weights=False
    )
    memory = attention.memory(encoded)
    found, each = attention(query, memory), attention.by_head(query, memory)[1]
    torch.testing.assert_close(found.context, expected, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(each, by_head, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(found.weights, by_head.mean(1), atol=1e-12, rtol=1e-12)
    inputs = [query, *attention.parameters()]
    ours, gold = (torch.autograd.grad(c.sin().sum(), inputs) for c in (found.context, expected))
    torch.testing.assert_close(ours, gold, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("score", [ScaledDot, LuongDot, LuongGeneral])
def test_fused_equals_written_out(score, monkeypatch):
    attention, encoded = heads(score), sentence()
    query = torch.randn(B, T, Q, dtype=torch.float64, requires_grad=True)
    memory = attention.memory(encoded)
    called, fused = [], torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        torch.nn.functional, "scaled_dot_product_attention", lambda *a, **k: called.append(1) or fused(*a, **k)
    )
    slow = attention(query, memory)
    assert not called
    fast = attention.context(query, memory)
    assert called
    assert fast.weights is None
    torch.testing.assert_close(fast.context, slow.context, atol=1e-12, rtol=1e-12)
    inputs = [query, *attention.parameters()]
    got, want = (torch.autograd.grad(c.context.sin().sum(), inputs, retain_graph=True) for c in (fast, slow))
    torch.testing.assert_close(got, want, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("score", "normalizer"), [(Bahdanau, Softmax), (ScaledDot, partial(Softmax, temperature=2.0))])
def test_what_cannot_be_fused_is_written_out(score, normalizer):
    attention, encoded = heads(score, normalizer), sentence()
    query = torch.randn(B, T, Q, dtype=torch.float64)
    memory = attention.memory(encoded)
    assert not attention.fused
    torch.testing.assert_close(attention.context(query, memory).context, attention(query, memory).context)


def test_each_head_is_the_score_on_its_own_projections():
    """Additive heads against the mechanism asked once a head, without any folding."""
    attention, encoded = heads(Bahdanau), sentence()
    query = torch.randn(B, T, Q, dtype=torch.float64)
    found, weights = attention.by_head(query, attention.memory(encoded))
    for head in range(H):
        own = slice(head * Q // H, (head + 1) * Q // H)
        keys, values = encoded.states @ attention.W_k.weight[own].T, encoded.states @ attention.W_v.weight[own].T
        one = attention.mechanism
        memory = one.memory(encoded._replace(states=keys))._replace(values=values)
        expected = one(query @ attention.W_q.weight[own].T, memory)
        torch.testing.assert_close(weights[:, head], expected.weights)
        torch.testing.assert_close(found.context[:, head], expected.context)


def test_dropout_of_weights_keeps_the_mean():
    attention, encoded = heads(Bahdanau, dropout=0.5).train(), sentence()
    query = torch.randn(B, T, Q, dtype=torch.float64)
    memory = attention.memory(encoded)
    with torch.no_grad():
        draws = attention(query.repeat(1, 4000, 1), memory).context.unflatten(1, (4000, T)).transpose(0, 1)
        expected = attention.eval()(query, memory).context
    error = (draws.mean(0) - expected).abs() / (draws.std(0) / len(draws) ** 0.5).clamp(min=1e-9)
    assert draws.std(0).max() > 0.05
    assert error.max() < 5  # standard errors


def test_sizes_and_mechanisms_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="divides"):
        MultiHead(ScaledDot, All, Softmax, 10, K, heads=3)
    with pytest.raises(ConfigError, match="attention=uniform"):
        Heads(NoAttention, Q, K, H)
    assert Heads(partial(Attention, ScaledDot, All, Softmax), Q, K, H).context_dim == Q
