"""A Transformer that reads, by code in C, against its layers."""

from functools import partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.normalizers.sparsemax import Sparsemax
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.encoders import compiled_layers
from attnlab.encoders.transformer import Transformer
from attnlab.kernels.native.library import library
from attnlab.layers import compiled as native_layers
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.transformer import LayerSettings

pytestmark = pytest.mark.skipif(library() is None, reason="no compiler here, or another processor")
LENGTHS = torch.tensor([19, 4, 1, 16, 19])


def make(position=Sinusoidal, normalizer=Softmax, dim=64, **settings):
    torch.manual_seed(0)
    layer = LayerSettings(**({"heads": 4, "feedforward_dim": 48} | settings))
    return Transformer(dim, position, partial(Attention, ScaledDot, All, normalizer), layer, layers=3).eval()


def words(dim=64):
    mask = torch.arange(19) < LENGTHS[:, None]
    return torch.randn(5, 19, dim), mask


@pytest.mark.parametrize(
    "settings", [{}, {"norm": "post"}, {"residual": False}, {"kv_heads": 2}, {"heads": 1, "feedforward_dim": 160}]
)
def test_it_equals_the_layers(settings):
    encoder, (embedded, mask) = make(**settings), words()
    with torch.no_grad():
        expected = encoder.double()(embedded.double(), mask)
    encoder.float()
    with torch.inference_mode():
        given = embedded.clone()
        assert compiled_layers.read(encoder.stack, given, mask) is not None
        assert given.equal(embedded)
        found = encoder(embedded, mask)
    torch.testing.assert_close(found.states.double(), expected.states, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(found.summary.double(), expected.summary, atol=2e-5, rtol=1e-4)


def test_it_does_so_by_several_threads(monkeypatch):
    encoder, (embedded, mask) = make(), words()
    with torch.inference_mode():
        expected = encoder(embedded, mask)
        monkeypatch.setattr(native_layers, "FEW", 1)
        monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
        assert encoder(embedded, mask).states.equal(expected.states)


@pytest.mark.parametrize(
    "encoder",
    [
        partial(make, position=Rotary),
        partial(make, normalizer=Sparsemax),
        partial(make, activation="gelu"),
        partial(make, feedforward_dim=20),
        partial(make, heads=8),
        lambda: make().train(),
        lambda: make().double(),
    ],
)
@torch.inference_mode()
def test_what_is_not_made_for_c_takes_torch(encoder):
    built, (embedded, mask) = encoder(), words()
    assert compiled_layers.read(built.stack, embedded.to(built.stack[0][0].feedforward[0].weight.dtype), mask) is None


def test_gradients_weights_and_counts_of_flops_take_torch():
    built, (embedded, mask) = make(), words()
    assert compiled_layers.read(built.stack, embedded, mask) is None
    with torch.no_grad():
        assert compiled_layers.read(built.stack, embedded, mask) is None
    with torch.inference_mode():
        assert built.self_weights(embedded, mask).shape == (5, 3, 4, 19, 19)


def test_what_is_no_number_is_not_lost():
    """Whatever weight it comes from."""
    embedded, mask = words()
    for number in range(len(list(make().stack.layers.parameters()))):
        encoder = make()
        with torch.inference_mode():
            list(encoder.stack.layers.parameters())[number].fill_(torch.nan)
            assert compiled_layers.read(encoder.stack, embedded, mask).isnan().any()


def test_it_does_not_go_by_what_torch_takes_usually():
    encoder, (embedded, mask) = make(), words()
    with torch.inference_mode():
        expected = encoder(embedded, mask).states
        torch.set_default_dtype(torch.bfloat16)
        try:
            assert compiled_layers.read(encoder.stack, embedded, mask) is not None
            with torch.device("meta"):
                assert compiled_layers.read(encoder.stack, embedded, mask).device.type == "cpu"
        finally:
            torch.set_default_dtype(torch.float32)
        assert encoder(embedded, mask).states.equal(expected)


def test_few_words_are_read_by_torch():
    """To lay the weights out takes longer."""
    encoder, (embedded, mask) = make(), words()
    with torch.inference_mode():
        assert compiled_layers.read(encoder.stack, embedded[:1], mask[:1]) is None
