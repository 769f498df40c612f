"""Layers against torch's own with the weights copied over; self-attention of any score, fused and written out."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import Heads
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.last import Last
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.scores.uniform import Uniform
from attnlab.attention.windows.all import All
from attnlab.layers.positions.alibi import Alibi
from attnlab.layers.positions.music import Music
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.shaw import Shaw
from attnlab.layers.positions.t5 import T5
from attnlab.layers.self_attention import SelfAttention
from attnlab.layers.transformer import DecoderLayer, EncoderLayer, LayerSettings, Stack
from attnlab.types import ConfigError, Encoded

N, T, D, H, F = 3, 6, 12, 3, 20
MASK = torch.arange(T) < torch.tensor([6, 3, 1])[:, None]


def mechanism(score=ScaledDot, normalizer=Softmax):
    return partial(Attention, score, All, normalizer)


def states(steps=T):
    return torch.randn(N, steps, D, dtype=torch.float64, requires_grad=True)


def copy_attention(theirs, ours):
    """torch has query, key and value projections in one matrix, and biases, which the paper has not."""
    theirs.in_proj_weight.data = torch.cat([ours.W_q.weight, ours.W_k.weight, ours.W_v.weight]).data.clone()
    theirs.out_proj.weight.data = ours.W_o.weight.data.clone()
    theirs.in_proj_bias.data.zero_()
    theirs.out_proj.bias.data.zero_()


def copy_rest(theirs, ours, norms):
    theirs.linear1.load_state_dict(ours.feedforward[0].state_dict())
    theirs.linear2.load_state_dict(ours.feedforward[3].state_dict())
    for number, around in enumerate(norms, 1):
        nn.init.normal_(around.norm.weight)
        nn.init.normal_(around.norm.bias)
        getattr(theirs, f"norm{number}").load_state_dict(around.norm.state_dict())


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_layer_equals_torch(norm, activation):
    ours = EncoderLayer(D, mechanism(), LayerSettings(H, F, norm=norm, activation=activation)).double().eval()
    theirs = nn.TransformerEncoderLayer(
        D, H, F, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    ).train()  # its fast path of evaluation leaves padding zero
    copy_attention(theirs.self_attn, ours.self_attention)
    copy_rest(theirs, ours, [ours.around_self, ours.around_feedforward])
    x = states()
    got = ours(x, MASK, NoPosition(D, H, False)).output[MASK]
    want = theirs(x, src_key_padding_mask=~MASK)[MASK]
    torch.testing.assert_close(got, want, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(
        torch.autograd.grad(got.sin().sum(), x), torch.autograd.grad(want.sin().sum(), x), atol=1e-11, rtol=1e-11
    )


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_decoder_layer_equals_torch(norm):
    settings = LayerSettings(H, F, norm=norm)
    ours = DecoderLayer(D, mechanism(), Heads(mechanism(), D, D, H), settings).double().eval()
    theirs = nn.TransformerDecoderLayer(
        D, H, F, 0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    ).train()
    copy_attention(theirs.self_attn, ours.self_attention)
    copy_attention(theirs.multihead_attn, ours.attention)
    copy_rest(theirs, ours, [ours.around_self, ours.around_attention, ours.around_feedforward])
    x, source = states(4), states()
    memory = ours.attention.memory(Encoded(source, MASK, source.sum(1), ()))
    empty = ours.self_attention.start(N, x)
    mixed, _ = ours(x, NoPosition(D, H, True), empty, lambda query: ours.attention.context(query, memory))
    got = mixed.output
    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    want = theirs(x, source, tgt_mask=causal, memory_key_padding_mask=~MASK)
    torch.testing.assert_close(got, want, atol=1e-12, rtol=1e-12)
    inputs = [x, source]
    torch.testing.assert_close(
        torch.autograd.grad(got.sin().sum(), inputs), torch.autograd.grad(want.sin().sum(), inputs), atol=1e-11, rtol=0
    )


def test_without_residual_connections_the_input_is_gone():
    """post: LayerNorm(f(x)); pre: f(LayerNorm(x)). With f zero, nothing of x is left."""
    x = states()
    for norm in ("pre", "post"):
        layer = EncoderLayer(D, mechanism(), LayerSettings(H, F, norm=norm, residual=False)).double().eval()
        around, found = layer.around_self, torch.randn_like(x)
        expected = found if norm == "pre" else around.norm(found)
        torch.testing.assert_close(around.after(x, found), expected)
        layer.feedforward[3].weight.data.zero_()
        layer.feedforward[3].bias.data.zero_()
        assert layer(x, MASK, NoPosition(D, H, False)).output.std() == 0
        kept = EncoderLayer(D, mechanism(), LayerSettings(H, F, norm=norm)).double().eval()
        assert kept(x, MASK, NoPosition(D, H, False)).output.std() > 0.1


KINDS = [NoPosition, Rotary, Alibi, T5, Shaw, Music]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_fused_equals_written_out_with_every_position(kind, causal, monkeypatch):
    attention = SelfAttention(mechanism(LuongGeneral), D, H, 0.0, causal).double()
    position, x, mask = kind(D, H, causal).double(), states(), None if causal else MASK
    real = torch.ones_like(MASK) if causal else MASK
    fast = attention(x, mask, position, None)[0][real]
    monkeypatch.setattr(SelfAttention, "fused", False)
    slow = attention(x, mask, position, None)[0][real]
    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=1e-12)
    inputs = [x, *attention.parameters()]
    got, want = (torch.autograd.grad(out.sin().sum(), inputs) for out in (fast, slow))
    torch.testing.assert_close(got, want, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("kind", [Shaw, Alibi])
def test_positions_enter_scores_and_values_as_written(kind):
    """One head, number by number: e_ij = (q_i k_j + what the position adds) / sqrt(d), z_i with its values."""
    attention, position = SelfAttention(mechanism(), 4, 1, 0.0, causal=True).double(), kind(4, 1, True).double()
    x = torch.randn(1, 5, 4, dtype=torch.float64)
    found = attention(x, None, position).output
    q, k, v = (x[0] @ getattr(attention, f"W_{name}").weight.T for name in "qkv")
    for i in range(5):
        scores, values = [], []
        for j in range(i + 1):
            if kind is Shaw:
                row = max(-16, j - i) + 16
                scores.append(q[i] @ (k[j] + position.a_k[0, row]) / 2)
                values.append(v[j] + position.a_v[0, row])
            else:
                scores.append(q[i] @ k[j] / 2 - 2**-8 * (i - j))
                values.append(v[j])
        z = torch.stack(scores).softmax(0) @ torch.stack(values)
        torch.testing.assert_close(found[0, i], attention.W_o.weight @ z, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("score", [ScaledDot, LuongGeneral, Bahdanau, Uniform])
@pytest.mark.parametrize("kind", [NoPosition, Rotary, Alibi, T5, Shaw, Music])
def test_word_by_word_equals_all_at_once(score, kind):
    attention = SelfAttention(mechanism(score), D, H, 0.0, causal=True).double()
    position, x = kind(D, H, True).double(), states()
    whole, kept, _ = attention(x, None, position, attention.start(N, x))
    past = attention.start(N, x)
    for step in range(T):
        one, past, _ = attention(x[:, step : step + 1], None, position, past)
        torch.testing.assert_close(one[:, 0], whole[:, step])
    torch.testing.assert_close(past, kept)


def test_later_words_are_not_seen():
    for score in (ScaledDot, Bahdanau):
        attention = SelfAttention(mechanism(score), D, H, 0.0, causal=True).double()
        x = states()
        other = torch.cat([x[:, :3], torch.randn(N, 3, D).double()], 1)
        position = Alibi(D, H, True)
        before, after = (attention(s, None, position, None)[0] for s in (x, other))
        torch.testing.assert_close(before[:, :3], after[:, :3])
        assert (before[:, 3:] - after[:, 3:]).abs().max() > 1e-3


def test_positions_of_a_stack():
    def stack(kind, layers):
        made = [EncoderLayer(D, mechanism(), LayerSettings(H, F)) for _ in range(layers)]
        return Stack(made, kind, D, LayerSettings(H, F), False, True)

    assert len({id(position) for _, position in stack(Shaw, 4)}) == 4
    assert len({id(position) for _, position in stack(T5, 4)}) == 1
    with pytest.raises(ConfigError, match="at least one layer"):
        stack(T5, 0)


def test_what_self_attention_cannot_be_asked_is_refused():
    with pytest.raises(ConfigError, match="self_attention=scaled_dot"):
        SelfAttention(mechanism(Last), D, H, 0.0, causal=True)
    SelfAttention(mechanism(Last), D, H, 0.0, causal=False)
    with pytest.raises(ConfigError, match="position=t5"):
        SelfAttention(mechanism(Bahdanau), D, H, 0.0, False).check_position(Shaw(D, H, False))
    with pytest.raises(ConfigError, match="at least 1"):
        LayerSettings(feedforward_dim=0)


@pytest.mark.parametrize("position", [NoPosition, Alibi])
@pytest.mark.parametrize("steps", [12, 13, 15, 16, 30])
def test_words_that_fill_a_register_change_nothing(steps, position, monkeypatch):
    told, mask = (
        position(model_dim=D, heads=H, causal=False),
        torch.arange(steps) < torch.tensor([steps, 3, 1])[:, None],
    )
    attention, read, widths = SelfAttention(mechanism(), D, H, 0.0, causal=False).double().eval(), states(steps), []
    fused = nn.functional.scaled_dot_product_attention

    def watched(query, keys, *others, **more):
        widths.append(keys.size(2))
        return fused(query, keys, *others, **more)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", watched)
    expected = attention(read, mask, told).output  # with gradients: as it is
    with torch.no_grad():
        torch.testing.assert_close(attention(read, mask, told).output, expected.detach())
    assert widths == [steps, {13: 16, 15: 16, 30: 32}.get(steps, steps)]
