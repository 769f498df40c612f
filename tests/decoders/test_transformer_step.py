"""The step of a search written out, against ``forward`` itself."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.normalizers.sparsemax import Sparsemax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.decoders import compiled_step, transformer_step, word_store
from attnlab.decoders.transformer import Transformer
from attnlab.kernels.native.library import library
from attnlab.layers import compiled as native_layers
from attnlab.layers.bridges import NoBridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.learned import Learned
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.positions.t5 import T5
from attnlab.layers.transformer import FeedForward, LayerSettings
from attnlab.types import ConfigError, Encoded, select

B, S, D, V, STEPS = 4, 19, 24, 10, 23
LENGTHS = torch.tensor([19, 4, 1, 16])
PLAIN = partial(Attention, ScaledDot, All, Softmax)


def make(position=Sinusoidal, attention=PLAIN, self_attention=PLAIN, layers=2, settings=(), dim=D, **more):
    torch.manual_seed(0)
    source = SourceDims(states=V, summary=V, final=V, layers=1, parts=1)
    layer = LayerSettings(**{"heads": 4, "feedforward_dim": 20, "dropout": 0.1, **dict(settings)})
    built = Transformer(dim, source, attention, NoBridge, position, self_attention, layer, layers, **more)
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.3)
    return built.double().eval()


def encoded(dtype=torch.float64):
    mask = torch.arange(S) < LENGTHS[:, None]
    states = torch.randn(B, S, V, dtype=dtype) * mask[..., None]
    return Encoded(states, mask, states.sum(1), ())


def compare(decoder, width, steps=STEPS, kind=transformer_step.TransformerStep, **tolerance):
    """Steps of a beam that is reordered, and loses a sentence now and then, by both ways."""
    dtype, dim = decoder.attention.W_o.weight.dtype, decoder.attention.W_o.weight.size(0)
    source, decoding = encoded(dtype), decoder.decoding_weights()
    assert type(decoding) is kind
    (slow_memory, slow), (memory, state) = decoder.initial_state(source), decoder.search_state(source, decoding)
    rows, sentences = torch.arange(B).repeat_interleave(width), B
    for step in range(steps):
        if step:
            slow, state = select((slow, state), rows)
        embedded = torch.randn(sentences * (width if step else 1), 1, dim, dtype=dtype)
        expected = decoder(embedded, slow_memory, slow)
        found = decoder.step(embedded, memory, state, decoding)
        torch.testing.assert_close(found.features, expected.features, **tolerance)
        torch.testing.assert_close(found.weights, expected.weights, **tolerance)
        slow, state = expected.state, found.state
        if step:
            kept = torch.arange(sentences)
            if step % 7 == 3 and sentences > 1:
                sentences -= 1
                kept = torch.randperm(sentences + 1)[:sentences]
                slow_memory, memory = select((slow_memory, memory), kept)
            rows = (kept[:, None] * width + torch.randint(width, (sentences, width))).flatten()


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"norm": "post", "activation": "gelu"},
        {"residual": False},
        {"heads": 2, "norm": "post", "residual": False},
        {"kv_heads": 2},
        {"heads": 1},
    ],
)
@torch.inference_mode()
def test_equals_forward(settings, width):
    compare(make(settings=settings), width)


@pytest.mark.parametrize("position", [partial(Learned, max_positions=STEPS), NoPosition])
@torch.inference_mode()
def test_equals_forward_for_any_position_that_is_added_to_words(position):
    compare(make(position), 2)


@pytest.mark.parametrize("score", [LuongDot, LuongGeneral])
@torch.inference_mode()
def test_equals_forward_for_any_score_by_products_over_the_source(score):
    source = partial(MultiHead, score, All, Softmax, heads=6, kv_heads=2)
    compare(make(attention=source, self_attention=partial(Attention, LuongDot, All, Softmax)), 2)


@torch.inference_mode()
def test_the_layer_and_head_that_were_asked_for_are_shown():
    compare(make(alignment_layer=0, alignment_head=2, layers=3), 2, steps=3)


@torch.inference_mode()
def test_places_that_nobody_looks_at_are_given_up(monkeypatch):
    monkeypatch.setattr(word_store, "FEW", 16)
    decoder, sizes = make(), []
    more = word_store.WordStore._give_up

    def watched(self, mask, width):
        found = more(self, mask, width)
        sizes.append((mask.size(1), found[1]))
        return found

    monkeypatch.setattr(word_store.WordStore, "_give_up", watched)
    compare(decoder, 4, steps=40)
    assert sizes
    assert all(after < before for before, after in sizes)


@torch.inference_mode()
def test_a_state_is_gone_on_from_once():
    decoder, embedded = make(), torch.randn(B, 1, D, dtype=torch.float64)
    decoding = decoder.decoding_weights()
    memory, state = decoder.search_state(encoded(), decoding)
    decoder.step(embedded, memory, state, decoding)
    with pytest.raises(RuntimeError, match="a step has been taken"):
        decoder.step(embedded, memory, state, decoding)


@torch.inference_mode()
def test_more_words_than_there_are_positions():
    decoder, embedded = make(partial(Learned, max_positions=2)), torch.randn(B, 1, D, dtype=torch.float64)
    decoding = decoder.decoding_weights()
    memory, state = decoder.search_state(encoded(), decoding)
    for _ in range(2):
        state = decoder.step(embedded, memory, state, decoding).state
    with pytest.raises(ConfigError, match="max_positions=3"):
        decoder.step(embedded, memory, state, decoding)


@pytest.mark.parametrize(
    "decoder",
    [
        partial(make, position=Rotary),
        partial(make, position=T5),
        partial(make, attention=partial(Attention, Bahdanau, All, Softmax)),
        partial(make, attention=partial(Attention, ScaledDot, All, Sparsemax)),
        partial(make, self_attention=partial(Attention, LuongGeneral, All, Softmax)),
        partial(make, self_attention=partial(Attention, ScaledDot, partial(LocalM, D=2), Softmax)),
        partial(make, alignment_module=True),
        lambda: make().bfloat16(),
        lambda: make().train(),
    ],
)
@torch.inference_mode()
def test_what_is_not_plain_takes_forward(decoder):
    built = decoder()
    assert built.decoding_weights() is None
    source = encoded()
    source = source._replace(states=source.states.to(built.attention.W_o.weight.dtype))
    memory, state = built.search_state(source, None)
    embedded = torch.randn(B, 1, D, dtype=source.states.dtype)
    assert built.step(embedded, memory, state, None).features.isfinite().all()


def test_gradients_and_autocast_take_forward():
    decoder = make()
    assert decoder.decoding_weights() is None
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert decoder.decoding_weights() is None
    with torch.no_grad():
        assert isinstance(decoder.decoding_weights(), transformer_step.TransformerStep)


def of_floats(**more):
    """Of sizes that search.c takes."""
    made = make(**({"dim": 64, "settings": {"feedforward_dim": 48}} | more)).float()
    for parameter in made.parameters():
        parameter.data.mul_(0.5)  # or errors of float32 grow from layer to layer
    return made


def compare_compiled(decoder, width, steps=STEPS):
    if library() is None:
        pytest.skip("no compiler here, or another processor")
    compare(decoder, width, steps, compiled_step.CompiledStep, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"norm": "post"},
        {"residual": False},
        {"heads": 2, "norm": "post", "residual": False},
        {"kv_heads": 2},
        {"heads": 1, "feedforward_dim": 160},
    ],
)
@torch.inference_mode()
def test_in_c_it_equals_forward(settings, width):
    compare_compiled(of_floats(settings={"feedforward_dim": 48} | settings), width)


@pytest.mark.parametrize("position", [partial(Learned, max_positions=STEPS), NoPosition])
@torch.inference_mode()
def test_in_c_for_any_position_that_is_added_to_words(position):
    compare_compiled(of_floats(position=position), 2)


@pytest.mark.parametrize("score", [LuongDot, LuongGeneral])
@torch.inference_mode()
def test_in_c_for_any_score_by_products_over_the_source(score):
    source = partial(MultiHead, score, All, Softmax, heads=2, kv_heads=1)
    compare_compiled(of_floats(attention=source, self_attention=partial(Attention, LuongDot, All, Softmax)), 2)


@torch.inference_mode()
def test_in_c_the_layer_and_head_that_were_asked_for_are_shown():
    compare_compiled(of_floats(alignment_layer=0, alignment_head=2, layers=3), 2, steps=3)


@pytest.mark.parametrize("places", [16, 256])
@torch.inference_mode()
def test_in_c_over_many_words(places, monkeypatch):
    """With places that are given up, and more than there were at first."""
    monkeypatch.setattr(word_store.LastingStore, "_few", places)
    compare_compiled(of_floats(), 4, steps=60)


@torch.inference_mode()
def test_in_c_by_several_threads(monkeypatch):
    monkeypatch.setattr(native_layers, "FEW", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    compare_compiled(of_floats(), 2)


@torch.inference_mode()
def test_in_c_what_is_no_number_is_not_lost():
    """Whatever weight it comes from: a search tells of it."""
    for number in range(len(list(of_floats().stack.parameters()))):
        decoder = of_floats()
        list(decoder.stack.parameters())[number].fill_(torch.nan)
        decoding = decoder.decoding_weights()
        memory, state = decoder.search_state(encoded(torch.float32), decoding)
        found = decoder.step(torch.randn(B, 1, 64), memory, state, decoding)
        assert found.features.isnan().any(), list(dict(decoder.stack.named_parameters()))[number]


@torch.inference_mode()
def test_in_c_layers_that_differ_take_torch():
    for change in (
        lambda layer: setattr(layer, "feedforward", FeedForward(64, LayerSettings(feedforward_dim=96))),
        lambda layer: layer.feedforward.__setitem__(1, nn.SiLU()),
        lambda layer: layer.feedforward.register_forward_hook(lambda *_: None),
        lambda layer: layer.feedforward[2].train(),
    ):
        decoder = of_floats()
        change(decoder.stack[1][0])
        decoder.stack.training = False
        assert type(decoder.decoding_weights()) is not compiled_step.CompiledStep


@pytest.mark.parametrize(
    "decoder",
    [
        partial(make, dim=64, settings={"feedforward_dim": 48}),  # float64
        partial(of_floats, dim=24),
        partial(of_floats, settings={"feedforward_dim": 20}),
        partial(of_floats, settings={"feedforward_dim": 48, "heads": 8}),
        partial(of_floats, settings={"feedforward_dim": 48, "activation": "gelu"}),
    ],
)
@torch.inference_mode()
def test_what_is_not_made_for_c_takes_torch(decoder):
    assert type(decoder().decoding_weights()) is transformer_step.TransformerStep
