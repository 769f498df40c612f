"""The GPU kernels against what a CPU does; Triton's interpreter runs them where there is no GPU (see conftest)."""

import importlib
from functools import partial

import pytest
import torch
from kernel_references import additive_scores_reference

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.decoders import bahdanau
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional
from attnlab.kernels import additive, cells, cross_entropy, gpu
from attnlab.types import tree_map

pytest.importorskip("triton")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def by_kernels(monkeypatch):
    """Whatever asks for kernels gets them, on a CPU too."""
    asked = []

    def serve(tensor):
        asked.append(tensor)
        return tensor.dtype != torch.float64

    monkeypatch.setattr(gpu, "serve", serve)
    return asked


@pytest.fixture
def by_torch(monkeypatch):
    """Switches them off again, for the other side of a comparison."""
    return partial(monkeypatch.setattr, gpu, "serve", lambda tensor: False)


def wide(rows, columns, apart=3):
    """A matrix whose rows lie apart."""
    return torch.randn(rows, columns + apart, device=DEVICE)[:, :columns]


@pytest.mark.parametrize("size", [5, 300])
def test_lstm(by_kernels, by_torch, size):
    gates, cell, grad_hidden, grad_cell = wide(3, 4 * size), wide(3, size), wide(3, size), wide(3, size)
    found = []
    for _ in range(2):
        hidden, new, kept = cells.lstm_forward(gates.clone(), cell)
        out = torch.empty(3, 4 * size + 2, device=DEVICE)[:, : 4 * size]
        found.append((hidden, new, *kept, cells.lstm_backward(kept, grad_hidden, grad_cell, out), out))
        assert by_kernels
        by_torch()
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [5, 300])
def test_gru(by_kernels, by_torch, size):
    inputs, recurrent, hidden, grad = wide(3, 3 * size), wide(3, 3 * size), wide(3, size), wide(3, size)
    found = []
    for _ in range(2):
        new, kept = cells.gru_forward(inputs, recurrent, hidden)
        outs = [torch.empty(3, 3 * size, device=DEVICE) for _ in range(2)]
        found.append((new, *kept, cells.gru_backward(kept, grad, *outs), *outs))
        assert by_kernels
        by_torch()
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("words", [7, 5000])
@pytest.mark.parametrize("low", [torch.float32, torch.bfloat16])
def test_loss(smoothing, words, low):
    kernels = importlib.import_module("attnlab.kernels.gpu.cross_entropy")
    logits = (3 * torch.randn(6, words, device=DEVICE)).to(low)
    gold = torch.randint(words, (6, 1), device=DEVICE)
    exact = logits.double()
    expected = cross_entropy.softmax_loss_(exact, gold, smoothing)
    found = kernels.softmax_loss_(logits, gold, smoothing)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(logits.double(), exact, atol=1e-6 if low == torch.float32 else 4e-3, rtol=1e-4)


def test_output_layer(by_kernels):
    given = [torch.randn(shape, device=DEVICE, requires_grad=True) for shape in ((9, 4), (30, 4), (30,))]
    gold = torch.randint(30, (9,), device=DEVICE)
    fast = cross_entropy.linear_cross_entropy(*given, gold, 0.1, rows=4)
    slow = cross_entropy.linear_cross_entropy_reference(*given, gold, 0.1)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(torch.autograd.grad(fast, given), torch.autograd.grad(slow, given))
    assert by_kernels


DECODERS = {
    "input_feeding_lstm": partial(LuongInputFeeding, readout=Attentional, cell="lstm", hidden_dim=6),
    "input_feeding_gru": partial(LuongInputFeeding, readout=Attentional, cell="gru", hidden_dim=6),
    "bahdanau": partial(bahdanau.Bahdanau, readout=Attentional, hidden_dim=6),
}


@pytest.mark.parametrize("score", [LuongGeneral, Bahdanau])
@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("read", ["features", "weights"])
def test_whole_loops(make_model, batch, by_kernels, by_torch, decoder, score, read):
    """Features, weights and all gradients of a model in float32 against itself by torch's operations."""
    attention = partial(Attention, score, All, Softmax)
    model = make_model(attention=attention, decoder=DECODERS[decoder]).float().to(DEVICE).train()
    given, found = tree_map(lambda leaf: leaf.to(DEVICE), batch), []
    for _ in range(2):
        decoded = model(given)
        read_out = getattr(decoded, read)
        probe = torch.linspace(-1, 1, read_out.numel(), device=DEVICE).view_as(read_out)
        model.zero_grad()
        (read_out * probe).sum().backward()
        grads = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        found.append((decoded.features.detach(), decoded.weights.detach(), *grads))
        assert by_kernels
        by_torch()
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("large", [0, 1 << 26])
def test_a_context_alone(by_kernels, monkeypatch, large):
    """In one pass where scores would be large, else as ever."""
    monkeypatch.setattr(additive, "LARGE", large)
    one_pass = importlib.import_module("attnlab.kernels.gpu.additive")
    plain, taken = one_pass.attended, []
    monkeypatch.setattr(one_pass, "attended", lambda *given: taken.append(given) or plain(*given))
    query, keys, values = (torch.randn(2, n, 6, device=DEVICE) for n in (3, 5, 5))
    v, mask = torch.randn(6, device=DEVICE), torch.arange(5, device=DEVICE) < torch.tensor([[5], [2]], device=DEVICE)
    with torch.no_grad():
        context, weights = additive.additive_attention(query, keys, v, values, mask, 0.7, weights=False)
    scores = 0.7 * additive_scores_reference(query, keys, v)
    expected = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1) @ values
    torch.testing.assert_close(context, expected, atol=1e-5, rtol=1e-5)
    assert weights is None
    assert bool(taken) == (large == 0)
