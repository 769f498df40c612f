"""Mixers: one that is no attention in the layers of a Transformer; shared keys; a window that slides; weights."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.decoders.transformer import Transformer as Decoder
from attnlab.encoders.transformer import Transformer as Encoder
from attnlab.layers.bridges import NoBridge
from attnlab.layers.mixer import Mixed, Mixer
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.shaw import Shaw
from attnlab.layers.self_attention import SelfAttention
from attnlab.layers.transformer import EncoderLayer, LayerSettings
from attnlab.types import ConfigError, Encoded, select

N, T, D, H = 3, 6, 16, 4
MASK = torch.arange(T) < torch.tensor([6, 3, 1])[:, None]
PLAIN = partial(Attention, ScaledDot, All, Softmax)


def words(*shape):
    return torch.randn(*(shape or (N, T, D)), dtype=torch.float64)


class LinearAttention(Mixer):
    """A mixer whose state is a matrix: sum_j phi(k_j) v_j^T (Katharopoulos et al. 2020), not normalised."""

    def __init__(self, model_dim, heads, dropout, causal):
        super().__init__()
        self.qkv, self.causal = nn.Linear(model_dim, 3 * model_dim), causal

    def start(self, rows, like):
        size = self.qkv.in_features
        return like.new_zeros(rows, size, size)

    def forward(self, states, mask, position, state=None, wanted=False):
        q, k, v = self.qkv(states).chunk(3, -1)
        if not self.causal:
            return Mixed(q @ ((k * mask.unsqueeze(-1)).transpose(1, 2) @ v), ())
        sums = torch.einsum("ntk,ntv->ntkv", k, v).cumsum(1) + state.unsqueeze(1)
        return Mixed(torch.einsum("ntk,ntkv->ntv", q, sums), sums[:, -1])


def decoder(self_attention, **layer):
    from attnlab.layers.dims import SourceDims

    source = SourceDims(states=D, summary=D, final=D, layers=1, parts=1)
    settings = LayerSettings(H, 20, dropout=0.0, **layer)
    return Decoder(D, source, PLAIN, NoBridge, NoPosition, self_attention, settings, 2).double().eval()


def test_a_mixer_with_a_state_of_its_own_form_trains_and_decodes():
    encoder = Encoder(D, NoPosition, LinearAttention, LayerSettings(H, 20, dropout=0.0), 2).double()
    encoded = encoder(words(), MASK)
    alone = encoder(words(), MASK).states  # padding is seen by nobody
    assert (alone[~MASK] == 0).all()
    made, said = decoder(LinearAttention), words()
    memory, state = made.initial_state(encoded)
    whole = made(said, memory, state)
    rows = torch.arange(N).repeat_interleave(2)
    state = select(state, rows)
    for step in range(T):  # in a beam of two, as a search does
        one = made(said[rows, step : step + 1], memory, state)
        state = one.state
        torch.testing.assert_close(one.features[:, 0], whole.features[rows, step])
    whole.features.sum().backward()
    assert all(p.grad.isfinite().all() for p in (*encoder.parameters(), *made.parameters()))
    assert encoder.self_weights(words(), MASK) is None
    assert made.self_weights(said, memory, made.initial_state(encoded)[1]) is None


def test_a_mixer_that_reads_no_position_refuses_relative_ones():
    with pytest.raises(ConfigError, match="position=sinusoidal"):
        Encoder(D, Rotary, LinearAttention, LayerSettings(H, 20), 1)


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("kind", [NoPosition, Rotary, Shaw])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_shared_keys_are_those_of_heads_that_agree(groups, causal, kind, wanted):
    """Ainslie et al. 2023, section 2.2: as many heads, of which those of a group have the same keys and values."""
    few = SelfAttention(PLAIN, D, H, 0.0, causal, groups).double()
    many = SelfAttention(PLAIN, D, H, 0.0, causal).double()
    position, mask, x = kind(D, H, causal).double(), None if causal else MASK, words()
    assert few.W_k.weight.shape == few.W_v.weight.shape == (groups * D // H, D)
    for name in ("W_q", "W_o"):
        getattr(many, name).weight.data = getattr(few, name).weight.data
    for name in ("W_k", "W_v"):
        by_head = getattr(few, name).weight.data.unflatten(0, (groups, D // H))
        getattr(many, name).weight.data = by_head.repeat_interleave(H // groups, 0).flatten(0, 1)
    real = torch.ones_like(MASK) if causal else MASK
    got, want = few(x, mask, position, None, wanted), many(x, mask, position, None, wanted)
    torch.testing.assert_close(got.output[real], want.output[real])
    if wanted:
        torch.testing.assert_close(got.weights, want.weights)
    if causal:  # a step of a search keeps the few
        past, found = few.start(N, x), []
        for step in range(T):
            one, past, _ = few(x[:, step : step + 1], None, position, past)
            found.append(one)
        torch.testing.assert_close(torch.cat(found, 1), want.output)
        assert past.keys.shape[:3] == (N, groups, T)


def test_heads_that_cannot_share_are_refused():
    with pytest.raises(ConfigError, match="divides the number of heads"):
        SelfAttention(PLAIN, D, H, 0.0, True, 3)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("score", [ScaledDot, Bahdanau])
def test_a_sliding_window_of_all_words_at_once(score, causal):
    """The place of every word decides what it sees: a band, and of the past alone in a decoder."""
    reach = 2
    narrow = SelfAttention(partial(Attention, score, partial(LocalM, D=reach), Softmax), D, H, 0.0, causal).double()
    x, position = words(), NoPosition(D, H, causal)
    found = narrow(x, None if causal else MASK, position, None, wanted=True)
    band = (torch.arange(T)[:, None] - torch.arange(T)).abs() <= reach
    seen = band & (torch.arange(T)[:, None] >= torch.arange(T)) if causal else band
    if score is ScaledDot:
        q, k = (getattr(narrow, f"W_{n}")(x).unflatten(-1, (H, -1)).transpose(1, 2) for n in "qk")
        energies = q @ k.transpose(-1, -2) / (D // H) ** 0.5
        allowed = seen & (MASK[:, None, None, :] if not causal else True)
        expected = energies.masked_fill(~allowed, float("-inf")).softmax(-1).nan_to_num()
        rows = (MASK[:, None, :, None] & seen.new_ones(T, T)).expand_as(expected) if not causal else ...
        torch.testing.assert_close(found.weights[rows], expected[rows])
    asked = torch.ones_like(MASK) if causal else MASK  # padding asks, too, and nobody reads what it finds
    assert (found.weights.masked_fill(seen | ~asked[:, None, :, None], 0.0) == 0).all()
    if causal:
        past = narrow.start(N, x)
        for step in range(T):
            one, past, _ = narrow(x[:, step : step + 1], None, position, past)
            torch.testing.assert_close(one[:, 0], found.output[:, step])


def test_weights_of_every_layer_are_those_of_torch():
    """Encoder layers with torch's MultiheadAttention in them, whose weights torch gives by head."""
    encoder = Encoder(D, NoPosition, PLAIN, LayerSettings(H, 20, dropout=0.0), 2).double().eval()
    x = words()
    weights = encoder.self_weights(x, MASK)
    assert weights.shape == (N, 2, H, T, T)
    states = encoder.stack.enter(x)
    for number, (layer, position) in enumerate(encoder.stack):
        theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=torch.float64)
        ours = layer.self_attention
        theirs.in_proj_weight.data = torch.cat([ours.W_q.weight, ours.W_k.weight, ours.W_v.weight]).data
        theirs.in_proj_bias.data.zero_()
        asked = layer.around_self.before(states)
        expected = theirs(asked, asked, asked, key_padding_mask=~MASK, average_attn_weights=False)[1]
        torch.testing.assert_close(weights[:, number], expected)
        states = layer(states, MASK, position).output
    torch.testing.assert_close(encoder(x, MASK).states[MASK], encoder.stack.norm(states)[MASK])


def test_weights_of_a_decoder_are_of_the_past():
    made, said = decoder(PLAIN, kv_heads=2), words()
    states = words() * MASK.unsqueeze(-1)
    memory, state = made.initial_state(Encoded(states, MASK, states.sum(1), ()))
    weights = made.self_weights(said, memory, state)
    assert weights.shape == (N, 2, H, T, T)
    torch.testing.assert_close(weights.sum(-1), torch.ones(N, 2, H, T).double())
    assert (weights.triu(1) == 0).all()
    assert made.weights_by_head(said, memory, state).shape == (N, 2, H, T, T)


def test_nobody_pays_for_weights_that_nobody_wants(monkeypatch):
    called = []
    fused = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *a, **k: called.append(1) or fused(*a, **k))
    layer = EncoderLayer(D, PLAIN, LayerSettings(H, 20)).double()
    assert layer(words(), MASK, NoPosition(D, H, False)).weights is None
    assert len(called) == 1
    assert layer(words(), MASK, NoPosition(D, H, False), wanted=True).weights is not None
    assert len(called) == 1
