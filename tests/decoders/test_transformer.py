"""The Transformer decoder in steps, in a beam, with any attention over the source; and against torch's stack."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.row_sums import RowSum
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.coverage import Coverage
from attnlab.attention.scores.last import Last
from attnlab.attention.scores.luong_location import LuongLocation
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.scores.uniform import Uniform
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.attention.windows.local_p import LocalP
from attnlab.decoders.transformer import Transformer
from attnlab.layers.bridges import Learned, NoBridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.alibi import Alibi
from attnlab.layers.positions.learned import Learned as LearnedPosition
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.shaw import Shaw
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.transformer import LayerSettings
from attnlab.types import ConfigError, Encoded, select

B, T, S, D, V, H = 3, 5, 7, 12, 8, 3
MASK = torch.arange(S) < torch.tensor([7, 4, 1])[:, None]
PLAIN = partial(Attention, ScaledDot, All, Softmax)
OVER_SOURCE = {
    "scaled_dot": PLAIN,
    "additive": partial(Attention, Bahdanau, All, Softmax),
    "uniform": partial(Attention, Uniform, All, Softmax),
    "last": partial(Attention, Last, All, Softmax),
    "location": partial(Attention, LuongLocation, All, Softmax),
    "local_m": partial(Attention, ScaledDot, partial(LocalM, D=1), Softmax),
    "local_p": partial(Attention, ScaledDot, partial(LocalP, D=2), Softmax),
    "multi_head": partial(MultiHead, ScaledDot, All, Softmax, heads=2),
}


def make(attention=PLAIN, position=Sinusoidal, bridge=NoBridge, self_attention=PLAIN, layers=2, **settings):
    source = SourceDims(states=V, summary=V, final=V, layers=1, parts=1)
    layer = LayerSettings(H, 20, dropout=0.0, **settings)
    built = Transformer(D, source, attention, bridge, position, self_attention, layer, layers)
    return built.double().eval()


def encoded():
    states = torch.randn(B, S, V, dtype=torch.float64) * MASK[..., None]
    return Encoded(states, MASK, states.sum(1), ())


def words(rows=B, steps=T):
    return torch.randn(rows, steps, D, dtype=torch.float64)


@pytest.mark.parametrize("position", [Sinusoidal, LearnedPosition, Shaw, Rotary, Alibi])
@pytest.mark.parametrize("name", OVER_SOURCE)
def test_one_step_at_a_time_equals_all_at_once(name, position):
    decoder, embedded = make(OVER_SOURCE[name], position), words()
    memory, state = decoder.initial_state(encoded())
    whole = decoder(embedded, memory, state)
    if decoder.attention.row_sum is RowSum.ONE:
        torch.testing.assert_close(whole.weights.sum(-1), torch.ones(B, T).double())
    assert (whole.weights.masked_select(~MASK[:, None].expand_as(whole.weights)) == 0).all()
    for step in range(T):
        one = decoder(embedded[:, step : step + 1], memory, state)
        state = one.state
        torch.testing.assert_close(one.features[:, 0], whole.features[:, step])
        torch.testing.assert_close(one.weights[:, 0], whole.weights[:, step])
    torch.testing.assert_close(state, whole.state)


@pytest.mark.parametrize("name", OVER_SOURCE)
def test_a_beam_over_one_memory_equals_a_repeated_memory(name):
    decoder, beam = make(OVER_SOURCE[name], Shaw), 4
    rows = torch.arange(B).repeat_interleave(beam)
    memory, state = decoder.initial_state(encoded())
    shared = apart = select(state, rows)
    repeated = select(memory, rows)
    for _ in range(3):
        embedded = words(B * beam, 1)
        one, other = decoder(embedded, memory, shared), decoder(embedded, repeated, apart)
        torch.testing.assert_close(one, other)
        order = torch.arange(B * beam).view(B, beam).flip(1).flatten()  # what a search does between steps
        shared, apart = select(one.state, order), select(other.state, order)


def test_training_is_fused_and_shows_no_weights_but_finds_the_same():
    decoder, embedded = make(), words()
    memory, state = decoder.initial_state(encoded())
    shown = decoder(embedded, memory, state)
    trained = decoder.train()(embedded, memory, state)
    assert trained.weights is None
    torch.testing.assert_close(trained.features, shown.features, atol=1e-12, rtol=1e-12)


def test_weights_are_the_mean_over_heads_of_the_last_layer_and_all_can_be_seen():
    decoder, embedded = make(), words()
    memory, state = decoder.initial_state(encoded())
    every = decoder.weights_by_head(embedded, memory, state)
    assert every.shape == (B, 2, H, T, S)
    torch.testing.assert_close(decoder(embedded, memory, state).weights, every[:, -1].mean(1))
    torch.testing.assert_close(every.sum(-1), torch.ones(B, 2, H, T).double())


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_stack_equals_torch(norm):
    """Layers are compared one by one elsewhere; here their order, the scale, the positions and the last norm."""
    decoder, source, embedded = make(norm=norm), encoded(), words()
    layers = []
    for ours, _ in decoder.stack:
        theirs = nn.TransformerDecoderLayer(
            D, H, 20, 0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
        )
        theirs.self_attn.in_proj_weight.data = torch.cat(
            [getattr(ours.self_attention, f"W_{name}").weight.data for name in "qkv"]
        )
        theirs.self_attn.out_proj.weight.data = ours.self_attention.W_o.weight.data
        theirs.multihead_attn = nn.MultiheadAttention(D, H, kdim=V, vdim=V, batch_first=True, dtype=torch.float64)
        for name, mine in (("q_proj_weight", "W_q"), ("k_proj_weight", "W_k"), ("v_proj_weight", "W_v")):
            getattr(theirs.multihead_attn, name).data = getattr(ours.attention, mine).weight.data
        theirs.multihead_attn.out_proj.weight.data = ours.attention.W_o.weight.data
        for attention in (theirs.self_attn, theirs.multihead_attn):
            attention.in_proj_bias.data.zero_()
            attention.out_proj.bias.data.zero_()
        theirs.linear1.load_state_dict(ours.feedforward[0].state_dict())
        theirs.linear2.load_state_dict(ours.feedforward[3].state_dict())
        layers.append(theirs)
    states = Sinusoidal(D, H, True).embed(embedded * D**0.5, 0)
    causal = nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.float64)
    for layer in layers:
        states = layer(states, source.states, tgt_mask=causal, memory_key_padding_mask=~MASK)
    expected = nn.functional.layer_norm(states, (D,)) if norm == "pre" else states
    memory, state = decoder.initial_state(source)
    torch.testing.assert_close(decoder(embedded, memory, state).features, expected, atol=1e-11, rtol=1e-11)


def test_layers_that_draw_their_weights_add_up():
    decoder, source = make(partial(Attention, ScaledDot, All, Sampled)).train(), encoded()
    memory, state = decoder.initial_state(source)
    found = decoder(words(), memory, state)
    assert found.sample.log_prob.shape == found.sample.entropy.shape == (B, T)
    extra = decoder.attention.surrogate(found.sample, torch.tensor([-1.0, -2.0, -3.0]).double(), torch.ones(B, T) > 0)
    extra.backward()
    for layer, _ in decoder.stack:  # every layer's choice is rewarded
        assert layer.attention.W_q.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"attention": partial(Attention, Coverage, All, Softmax)}, "looks back .* Take decoder=bahdanau"),
        ({"attention": NoAttention}, "Take attention=uniform"),
        ({"bridge": Learned}, "take bridge=none"),
        ({"self_attention": partial(Attention, Coverage, All, Softmax)}, "Take self_attention=scaled_dot"),
        ({"self_attention": partial(Attention, ScaledDot, All, Sampled)}, "drawn at random"),
        ({"self_attention": partial(Attention, Uniform, All, Softmax), "position": Rotary}, "position=t5"),
        ({"self_attention": partial(Attention, ScaledDot, LocalP, Softmax)}, "the window all"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest_that_can(settings, advice):
    with pytest.raises(ConfigError, match=advice):
        make(**settings)


def test_without_positions_a_layer_sees_the_past_as_a_bag():
    decoder = make(position=NoPosition, layers=1)
    memory, state = decoder.initial_state(encoded())
    embedded = words()
    swapped = embedded[:, [1, 0, 2, 3, 4]]
    last = [decoder(e, memory, state).features[:, -1] for e in (embedded, swapped)]
    torch.testing.assert_close(*last)
    decoder = make(position=Sinusoidal, layers=1)
    last = [decoder(e, memory, state).features[:, -1] for e in (embedded, swapped)]
    assert (last[0] - last[1]).abs().max() > 1e-3
