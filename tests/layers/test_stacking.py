"""What stands between recurrent layers, against torch's cells in a loop over steps and layers."""

from functools import partial

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.decoders.bahdanau import Bahdanau
from attnlab.decoders.cho import Cho
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional, DeepOutput, StateOnly
from attnlab.decoders.sutskever import Sutskever
from attnlab.encoders.recurrent import Recurrent as Encoder
from attnlab.layers.bridges import Learned
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Recurrent
from attnlab.layers.stacking import Between, Stacking
from attnlab.types import ConfigError, Encoded

N, T, E, H, L = 3, 5, 4, 6, 3
CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
KINDS = [
    Stacking(layer_norm=True),
    Stacking(residual=True),
    Stacking(variational_dropout=0.4),
    Stacking(layer_norm=True, residual=True, variational_dropout=0.4),
]


def run(cell, weights, inputs, first):
    """One layer, step by step: all hidden states ``[N, T, H]``, and the last state."""
    made = CELLS[cell](inputs.size(-1), H).double()
    for name, weight in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, strict=True):
        del made._parameters[name]
        setattr(made, name, weight)
    state, states = first if cell == "lstm" else first[0], []
    for t in range(inputs.size(1)):
        state = made(inputs[:, t], state)
        states.append(state[0] if cell == "lstm" else state)
    return torch.stack(states, 1), state if cell == "lstm" else (state,)


def normed(x, norm):
    """Ba et al. 2016, equation (4), number by number."""
    mean = sum(x[..., i] for i in range(x.size(-1))) / x.size(-1)
    variance = sum((x[..., i] - mean) ** 2 for i in range(x.size(-1))) / x.size(-1)
    scaled = (x - mean[..., None]) / (variance + norm.eps).sqrt()[..., None]
    return norm.weight * scaled + norm.bias


def between(module, stacking, masks, layer, states, read):
    """o of a layer, and what the next one reads."""
    output = states + read if stacking.residual and layer else states
    if stacking.variational_dropout:
        output = torch.stack([output[:, t] * masks[layer] for t in range(output.size(1))], 1)
    return output, normed(output, module.norms[layer]) if module.norms and layer < L - 1 else output


@pytest.fixture
def masks(monkeypatch):
    """Drawn once, whoever asks."""
    drawn = torch.nn.functional.dropout(torch.ones(L, N, 2 * H, dtype=torch.float64), 0.4)
    monkeypatch.setattr(Between, "masks", lambda self, rows, like: drawn[..., : like.size(-1)] if self.shared else None)
    return drawn


def shaken(module):
    """Gains and biases of norms are drawn, too."""
    for norm in module.between.norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return module


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stacking", KINDS)
def test_a_stack_equals_cells_in_a_loop(cell, stacking, masks):
    stack = shaken(Recurrent(cell, E, H, L, stacking=stacking).double()).train()
    inputs = torch.randn(N, T, E, dtype=torch.float64, requires_grad=True)
    first = tuple(torch.randn(N, L, H, dtype=torch.float64) for _ in range(stack.parts))
    outputs, last = stack(inputs, first)
    read, finals = inputs, []
    for layer in range(L):
        states, final = run(cell, stack.weights(layer), read, tuple(part[:, layer] for part in first))
        output, read = between(stack.between, stacking, masks[..., :H], layer, states, read)
        finals.append(final)
    torch.testing.assert_close(outputs, output)
    torch.testing.assert_close(last, tuple(torch.stack(part, 1) for part in zip(*finals, strict=True)))
    ours, theirs = (
        torch.autograd.grad(found.sin().sum(), [inputs, *stack.parameters()]) for found in (outputs, output)
    )
    torch.testing.assert_close(ours, theirs)
    step = stack.unroll()
    states, found = [tuple(part[:, layer] for part in first) for layer in range(L)], []
    for gates in step.hoist(inputs).unbind(1):
        output_t, states = step(gates, None, states)
        found.append(output_t)
    torch.testing.assert_close(torch.stack(found, 1), outputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("stacking", KINDS)
def test_an_encoder_equals_cells_in_a_loop(cell, stacking, masks):
    encoder = shaken(Encoder(E, cell, H, L, stacking=stacking).double()).train()
    inputs, mask = torch.randn(N, T, E, dtype=torch.float64), torch.ones(N, T, dtype=torch.bool)
    encoded, read, finals = encoder(inputs, mask), inputs, []
    zeros = tuple(torch.zeros(N, H, dtype=torch.float64) for _ in range(2 if cell == "lstm" else 1))
    for layer in range(L):
        forward, ahead = run(cell, encoder.rnns[2 * layer].all_weights[0], read, zeros)
        back, behind = run(cell, encoder.rnns[2 * layer + 1].all_weights[0], read.flip(1), zeros)
        states = torch.cat([forward, back.flip(1)], -1)
        finals.append([torch.cat(both, -1) for both in zip(ahead, behind, strict=True)])
        output, read = between(encoder.between, stacking, masks, layer, states, read)
    torch.testing.assert_close(encoded.states, output)
    torch.testing.assert_close(encoded.final, tuple(torch.stack(part, 1) for part in zip(*finals, strict=True)))
    shorter = mask.clone()
    shorter[1, 3:] = False
    alone = encoder(inputs[1:2, :3], mask[1:2, :3]) if not stacking.variational_dropout else None
    if alone is not None:
        torch.testing.assert_close(encoder(inputs, shorter).states[1:2, :3], alone.states)


DECODERS = [
    *((LuongInputFeeding, LuongGeneral, Attentional, kind) for kind in KINDS),
    *((Luong, LuongGeneral, Attentional, kind) for kind in KINDS),
    *((Bahdanau, LuongGeneral, DeepOutput, kind) for kind in KINDS if not kind.residual),
    (Sutskever, None, StateOnly, KINDS[1]),
    (Cho, None, StateOnly, KINDS[1]),
]


@pytest.mark.parametrize(("kind", "score", "readout", "stacking"), DECODERS)
@pytest.mark.parametrize("cell", ["lstm", "gru_reset_before"])
def test_training_and_the_steps_of_a_search_are_one(kind, score, readout, stacking, cell):
    """Kernels of whole loops know nothing of it, and are passed over."""
    attention = NoAttention if score is None else partial(Attention, score, All, Softmax)
    source = SourceDims(states=E, summary=E, final=E, layers=1, parts=1)
    settings = {"cell": cell, "hidden_dim": H, "layers": L, "dropout": 0.3, "stacking": stacking}
    decoder = kind(E, source, attention, Learned, readout, **settings).double().eval()
    shaken(decoder.recurrent)
    mask = torch.arange(T) < torch.tensor([5, 3, 1])[:, None]
    encoded = Encoded(torch.randn(N, T, E, dtype=torch.float64) * mask[..., None], mask, torch.randn(N, E).double(), ())
    words = torch.randn(N, T, E, dtype=torch.float64)
    memory, state = decoder.initial_state(encoded)
    whole, found = decoder(words, memory, state), []
    for word in words.split(1, dim=1):
        stepped = decoder(word, memory, state)
        state = stepped.state
        found.append(stepped.features)
    torch.testing.assert_close(torch.cat(found, 1), whole.features)
    torch.testing.assert_close(state.cells, whole.state.cells)


def test_a_mask_is_one_of_dropout_for_each_layer_and_sentence():
    module = Between(Stacking(variational_dropout=0.25), 100, 2, 0.0)
    masks = module.masks(50, torch.ones(50, 7, 100))
    assert masks.shape == (2, 50, 100)
    torch.testing.assert_close(masks.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs((masks == 0).double().mean() - 0.25) < 4 * (0.25 * 0.75 / masks.numel()) ** 0.5
    assert module.eval().masks(50, torch.ones(50, 7, 100)) is None


@pytest.mark.parametrize("name", ["layer_norm", "residual"])
def test_one_layer_hands_nothing_on(name):
    with pytest.raises(ConfigError, match=rf"stacking.{name}=true .* one layer: set layers=2"):
        Encoder(E, "gru", H, 1, stacking=Stacking(**{name: True}))


def test_residuals_of_bahdanaus_decoder_are_refused():
    source = SourceDims(states=E, summary=E, final=E, layers=1, parts=1)
    attention = partial(Attention, LuongGeneral, All, Softmax)
    with pytest.raises(ConfigError, match="asks attention with the state itself"):
        Bahdanau(E, source, attention, Learned, DeepOutput, layers=2, stacking=Stacking(residual=True))
