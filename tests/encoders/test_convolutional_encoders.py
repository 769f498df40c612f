"""Convolutional, TCN and Transformer encoders: their equations in loops, and padding that cannot matter."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.encoders.convolutional import Convolutional
from attnlab.encoders.tcn import Tcn
from attnlab.encoders.transformer import Transformer
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.concatenated import Concatenated
from attnlab.layers.positions.learned import Learned
from attnlab.layers.positions.music import Music
from attnlab.layers.positions.none import NoPosition
from attnlab.layers.positions.rotary import Rotary
from attnlab.layers.positions.shaw import Shaw
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.positions.t5 import T5
from attnlab.layers.transformer import LayerSettings
from attnlab.types import ConfigError

E, H, LENGTHS = 6, 5, [7, 2, 5, 1]
MASK = torch.arange(7) < torch.tensor(LENGTHS)[:, None]
PLAIN = partial(Attention, ScaledDot, All, Softmax)


def transformer(position=Sinusoidal, **settings):
    layer = LayerSettings(3 if position is not Rotary else 1, 10, dropout=0.0, **settings)
    return Transformer(E, position, PLAIN, layer, layers=2)


MAKERS = {
    "convolutional": partial(Convolutional, E, Learned, H, 3, 3),
    "wide": partial(Convolutional, E, NoPosition, H, 2, 5),
    "tcn": partial(Tcn, E, H, 3, 3),
    "causal tcn": partial(Tcn, E, H, 3, 2, True),
    "post-norm": partial(transformer, norm="post"),
} | {
    kind.__name__: partial(transformer, kind)
    for kind in (NoPosition, Sinusoidal, Learned, Concatenated, Shaw, Music, T5, Rotary)
}


def words(rows=4):
    return torch.randn(rows, 7, E, dtype=torch.float64)


@pytest.fixture(params=MAKERS)
def encoder(request):
    built = MAKERS[request.param]().double().eval()
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.5)
    return built


def test_padding_does_not_matter(encoder):
    inputs = words()
    encoded = encoder(inputs, MASK)
    assert encoded.states.shape == (4, 7, encoder.dims.states)
    assert (encoded.states[~MASK] == 0).all()
    noise = encoder(torch.where(MASK[..., None], inputs, 100.0), MASK)
    torch.testing.assert_close(noise, encoded)
    for row, length in enumerate(LENGTHS):
        apart = encoder(inputs[row : row + 1, :length], MASK[row : row + 1, :length])
        torch.testing.assert_close(apart.states[0], encoded.states[row, :length])
        torch.testing.assert_close((apart.summary[0], apart.final[0][0]), (encoded.summary[row], encoded.final[0][row]))
        if encoded.values is not None:
            torch.testing.assert_close(apart.values[0], encoded.values[row, :length])


def test_gradients_reach_every_parameter(encoder):
    encoded = encoder(words(), MASK)
    total = encoded.states.sin().sum() + encoded.summary.cos().sum()
    (total if encoded.values is None else total + encoded.values.sin().sum()).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_gated_convolutions_in_loops():
    encoder, x = MAKERS["convolutional"]().double().eval(), words(1)
    encoded = encoder(x, torch.ones(1, 7, dtype=torch.bool))
    known = [x[0, j] + encoder.position.table.weight[j] for j in range(7)]
    h = [encoder.enter.weight @ w + encoder.enter.bias for w in known]
    for convolution in encoder.convolutions:
        new = []
        for j in range(7):
            total = convolution.bias.clone()
            for offset in (-1, 0, 1):
                if 0 <= j + offset < 7:
                    total = total + convolution.weight[:, :, offset + 1] @ h[j + offset]
            new.append((total[:H] * torch.sigmoid(total[H:]) + h[j]) * 0.5**0.5)
        h = new
    z = torch.stack([encoder.leave.weight @ s + encoder.leave.bias for s in h])
    torch.testing.assert_close(encoded.states[0], z)
    torch.testing.assert_close(encoded.values[0], z + torch.stack(known))
    torch.testing.assert_close(encoded.summary[0], z.mean(0))


def test_attention_matches_keys_and_sums_up_keys_and_words():
    encoder, x = MAKERS["convolutional"]().double().eval(), words()
    encoded, query = encoder(x, MASK), torch.randn(4, 2, E, dtype=torch.float64)
    attention = Attention(LuongDot, All, Softmax, E, E)
    found = attention(query, attention.memory(encoded))
    for row, length in enumerate(LENGTHS):
        a = (query[row] @ encoded.states[row, :length].T).softmax(-1)
        expected = a @ (encoded.states[row] + x[row] + encoder.position.table.weight[:7])[:length]
        torch.testing.assert_close(found.context[row], expected)


@pytest.mark.parametrize(("name", "kernel"), [("tcn", 3), ("causal tcn", 2)])
def test_dilated_blocks_in_loops(name, kernel):
    encoder, x = MAKERS[name]().double().eval(), words(1)
    encoded = encoder(x, torch.ones(1, 7, dtype=torch.bool))

    def convolve(convolution, h, dilation):
        out = []
        for j in range(7):
            total = convolution.bias.clone()
            for tap in range(kernel):
                back = (kernel - 1 - tap) if encoder.causal else (kernel // 2 - tap)
                if 0 <= j - back * dilation < 7:
                    total = total + convolution.weight[:, :, tap] @ h[j - back * dilation]
            out.append(total.relu())
        return out

    h = list(x[0])
    for number, block in enumerate(encoder.blocks):
        found = convolve(block.second, convolve(block.first, h, 2**number), 2**number)
        around = [block.around(s[:, None])[:, 0] for s in h]
        h = [(a + f).relu() for a, f in zip(around, found, strict=True)]
    torch.testing.assert_close(encoded.states[0], torch.stack(h))
    torch.testing.assert_close(encoded.summary[0], h[-1] if encoder.causal else torch.stack(h).mean(0))


def test_a_causal_tcn_does_not_see_what_comes():
    encoder, x = MAKERS["causal tcn"]().double().eval(), words(1)
    whole = torch.ones(1, 7, dtype=torch.bool)
    other = torch.cat([x[:, :4], words(1)[:, 4:]], 1)
    before, after = (encoder(e, whole).states for e in (x, other))
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_transformer_equals_torchs_stack(norm):
    encoder, x = transformer(norm=norm).double().eval(), words()
    layer = nn.TransformerEncoderLayer(E, 3, 10, 0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64)
    last = nn.LayerNorm(E, dtype=torch.float64) if norm == "pre" else None
    theirs = nn.TransformerEncoder(layer, 2, last, enable_nested_tensor=False).train()
    for mine, other in zip(encoder.stack.layers, theirs.layers, strict=True):
        other.self_attn.in_proj_weight.data = torch.cat(
            [getattr(mine.self_attention, f"W_{name}").weight.data for name in "qkv"]
        )
        other.self_attn.out_proj.weight.data = mine.self_attention.W_o.weight.data
        other.self_attn.in_proj_bias.data.zero_()
        other.self_attn.out_proj.bias.data.zero_()
        other.linear1.load_state_dict(mine.feedforward[0].state_dict())
        other.linear2.load_state_dict(mine.feedforward[3].state_dict())
    embedded = Sinusoidal(E, 3, False).embed(x * E**0.5, 0)
    expected = theirs(embedded, src_key_padding_mask=~MASK)
    torch.testing.assert_close(encoder(x, MASK).states[MASK], expected[MASK], atol=1e-11, rtol=1e-11)


def test_initialization_leaves_gains_what_they_are():
    """A weight-normalised layer starts as the matrix that was drawn; LayerNorm's gain starts at 1."""
    encoder = MAKERS["convolutional"]()
    Initialization("uniform", 0.1)(encoder)
    for layer in (encoder.enter, *encoder.convolutions):
        assert layer.weight.abs().max() <= 0.1
        assert layer.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.3)
    layered = transformer()
    Initialization("xavier_uniform", 1.0)(layered)
    assert (layered.stack.norm.weight == 1).all()
    assert (layered.stack[0][0].around_self.norm.weight == 1).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="odd"):
        Convolutional(E, NoPosition, H, 2, 4)
    with pytest.raises(ConfigError, match="position=learned"):
        Convolutional(E, Shaw, H)
    with pytest.raises(ConfigError, match="causal=true"):
        Tcn(E, H, kernel=4)
