"""Each decoder against its paper's equations, stepped with torch's own cells; and against itself in steps."""

import pytest
import torch
from torch import nn

from attnlab.decoders.bahdanau import Bahdanau
from attnlab.decoders.cho import Cho
from attnlab.decoders.conditional_gru import ConditionalGru
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional, Concatenated, DeepOutput, StateOnly, TanhOutput
from attnlab.decoders.sutskever import Sutskever
from attnlab.types import ConfigError, select

T = 5


class CellOfThePaper(nn.GRUCell):
    """Cho et al. 2014, equations (5) to (8), number by number."""

    def forward(self, x, h):
        H, rows = self.hidden_size, []

        def total(gate, i, b, seen):
            row, bias = gate * H + i, self.bias_ih[gate * H + i] + self.bias_hh[gate * H + i]
            return (self.weight_ih[row] * x[b]).sum() + (self.weight_hh[row] * seen).sum() + bias

        for b in range(len(x)):
            r, z = (torch.stack([total(gate, i, b, h[b]).sigmoid() for i in range(H)]) for gate in (0, 1))
            n = torch.stack([total(2, i, b, r * h[b]).tanh() for i in range(H)])
            rows.append(torch.stack([(1 - z[i]) * n[i] + z[i] * h[b, i] for i in range(H)]))
        return torch.stack(rows)


CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "gru_reset_before": CellOfThePaper, "rnn": nn.RNNCell}
ATTENDING = [(Luong, "general", Attentional, {"cell": cell, "layers": layers}) for cell in CELLS for layers in (1, 2)]
ATTENDING += [
    (kind, score, readout, {"cell": cell, "layers": layers})
    for kind, score, readout in (
        (LuongInputFeeding, "general", Attentional),
        (LuongInputFeeding, "none", TanhOutput),
        (Bahdanau, "additive", DeepOutput),
        (Bahdanau, "general", Concatenated),
    )
    for cell in CELLS
    for layers in (1, 2)
]
ATTENDING += [(ConditionalGru, "additive", TanhOutput, {"cell": "gru_reset_before"})]
ATTENDING += [(ConditionalGru, "additive", TanhOutput, {}), (ConditionalGru, "none", Attentional, {})]
PLAIN = [(Cho, "none", DeepOutput, {"cell": c}) for c in CELLS]
PLAIN += [(Sutskever, "none", StateOnly, {"cell": c, "layers": 2}) for c in CELLS]


def torch_cells(recurrent):
    """torch's own cells with the weights of a stack."""
    cells = []
    for layer in range(recurrent.layers):
        weights = recurrent.weights(layer)
        cell = CELLS[recurrent.cell](weights[0].size(1), recurrent.hidden_dim).double()
        for name, weight in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, strict=True):
            setattr(cell, name, weight)
        cells.append(cell)
    return cells


def step_cells(cells, kind, inputs, states):
    new = []
    for cell, state in zip(cells, states, strict=True):
        out = cell(inputs, state if kind == "lstm" else state[0])
        new.append(out if kind == "lstm" else (out,))
        inputs = new[-1][0]
    return inputs, new


def by_the_paper(decoder, embedded, encoded):
    """The features of all steps, one torch cell call at a time, the attention of the step in its published place."""
    memory, first = decoder.initial_state(encoded)
    ask = lambda query: decoder.attention(query[:, None], memory).context[:, 0]  # noqa: E731
    features = []
    if isinstance(decoder, ConditionalGru):
        one, two = torch_cells(decoder.first)[0], torch_cells(decoder.second)[0]
        s = first.cells[0][:, 0]
        for y in embedded.unbind(1):
            between = one(y, s)
            c = ask(between)
            s = two(c, between)
            features.append(decoder.readout(s, c, y))
        return torch.stack(features, 1)
    kind, cells = decoder.recurrent.cell, torch_cells(decoder.recurrent)
    states = [tuple(part[:, layer] for part in first.cells) for layer in range(decoder.recurrent.layers)]
    h, feed = states[-1][0], first.feed
    for y in embedded.unbind(1):
        if isinstance(decoder, Bahdanau):
            before, c = h, ask(h)
            h, states = step_cells(cells, kind, torch.cat([y, c], -1), states)
            feature = decoder.readout(before if decoder.readout.reads_previous else h, c, y)
        elif isinstance(decoder, Cho):
            h, states = step_cells(cells, kind, torch.cat([y, encoded.summary], -1), states)
            feature = decoder.readout(h, encoded.summary, y)
        else:
            x = torch.cat([y, feed], -1) if isinstance(decoder, LuongInputFeeding) else y
            h, states = step_cells(cells, kind, x, states)
            feature = feed = decoder.readout(h, ask(h), y)
        features.append(feature)
    return torch.stack(features, 1)


@pytest.mark.parametrize(("kind", "score", "readout", "settings"), ATTENDING + PLAIN)
def test_features_and_all_gradients_equal_the_paper_in_steps(make, encoded, kind, score, readout, settings):
    decoder = make(kind, score, readout, **settings)
    encoded = encoded._replace(states=encoded.states.requires_grad_(), summary=encoded.summary.requires_grad_())
    embedded = torch.randn(3, T, 5, dtype=torch.float64, requires_grad=True)
    memory, state = decoder.initial_state(encoded)
    fast, slow = decoder(embedded, memory, state).features, by_the_paper(decoder, embedded, encoded)
    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=1e-12)
    inputs = [embedded, encoded.states, encoded.summary, *decoder.parameters()]
    probe = torch.randn_like(fast)
    gradients = [torch.autograd.grad((f * probe).sum(), inputs, allow_unused=True) for f in (fast, slow)]
    for got, want in zip(*gradients, strict=True):
        assert (got is None) == (want is None)
        if got is not None:
            torch.testing.assert_close(got, want, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("kind", "score", "readout", "settings"), ATTENDING + PLAIN)
def test_one_step_at_a_time_equals_all_at_once(make, encoded, kind, score, readout, settings):
    decoder = make(kind, score, readout, **settings)
    embedded = torch.randn(3, T, 5, dtype=torch.float64)
    memory, state = decoder.initial_state(encoded)
    whole = decoder(embedded, memory, state)
    for step in range(T):
        one = decoder(embedded[:, step : step + 1], memory, state)
        state = one.state
        torch.testing.assert_close(one.features[:, 0], whole.features[:, step])
        if whole.weights is not None:
            torch.testing.assert_close(one.weights[:, 0], whole.weights[:, step])
    torch.testing.assert_close(state, whole.state)


@pytest.mark.parametrize(("kind", "score", "readout", "settings"), ATTENDING + PLAIN)
def test_a_beam_over_one_memory_equals_a_repeated_memory(make, encoded, kind, score, readout, settings):
    """Rows of a beam attend over the memory of their sentence, which is never copied."""
    decoder, beam = make(kind, score, readout, **settings), 4
    embedded = torch.randn(3 * beam, 1, 5, dtype=torch.float64)
    rows = torch.arange(3).repeat_interleave(beam)
    memory, state = decoder.initial_state(encoded)
    state = select(state, rows)
    shared, repeated = decoder(embedded, memory, state), decoder(embedded, select(memory, rows), state)
    torch.testing.assert_close(shared, repeated)


@pytest.mark.parametrize("kind", [Cho, Sutskever])
def test_a_plain_decoder_refuses_attention(make, kind):
    with pytest.raises(ConfigError, match="no place for attention"):
        make(kind, "general", StateOnly)


def test_deep_output_is_the_maxout_of_pairs():
    readout = DeepOutput(4, 3, 2, output_dim=5).double()
    s, c, y = (torch.randn(2, n, dtype=torch.float64) for n in (4, 3, 2))
    inside = torch.cat([s, y, c], -1) @ readout.project.weight.T + readout.project.bias
    expected = torch.stack([torch.maximum(inside[:, 2 * i], inside[:, 2 * i + 1]) for i in range(5)], -1)
    torch.testing.assert_close(readout(s, c, y), expected)
