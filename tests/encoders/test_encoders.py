"""Recurrent encoders against torch's packed bidirectional ones with the weights copied over."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent

LENGTHS = torch.tensor([7, 2, 5, 1])
MASK = torch.arange(7) < LENGTHS[:, None]
TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def packed(encoder, cell, layers, bidirectional, inputs):
    rnn = TORCH[cell](5, 4, layers, batch_first=True, bidirectional=bidirectional).double()
    directions = 2 if bidirectional else 1
    for index, ours in enumerate(encoder.rnns):
        suffix = f"_l{index // directions}" + ("_reverse" if index % directions else "")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(rnn, name + suffix).data.copy_(getattr(ours, name + "_l0").data)
    outputs, last = rnn(pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False))
    states, _ = pad_packed_sequence(outputs, batch_first=True)
    last = last if cell == "lstm" else (last,)
    final = tuple(
        part.unflatten(0, (layers, directions)).permute(2, 0, 1, 3).flatten(2) for part in last
    )  # [B, L, directions joined]
    return states, final


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_states_finals_and_gradients_equal_packed_torch(cell, layers, bidirectional):
    encoder = Recurrent(5, cell, 4, layers, bidirectional).double()
    inputs = torch.randn(4, 7, 5, dtype=torch.float64, requires_grad=True)
    encoded = encoder(inputs, MASK)
    states, final = packed(encoder, cell, layers, bidirectional, inputs)
    torch.testing.assert_close(encoded.states, states, atol=1e-12, rtol=0)
    torch.testing.assert_close(encoded.final, final, atol=1e-12, rtol=0)
    torch.testing.assert_close(encoded.summary, final[0][:, -1], atol=1e-12, rtol=0)
    assert encoder.dims == (states.size(-1), states.size(-1), final[0].size(-1), layers, len(final))
    ours = torch.autograd.grad(encoded.states.sin().sum() + sum(f.cos().sum() for f in encoded.final), inputs)
    theirs = torch.autograd.grad(states.sin().sum() + sum(f.cos().sum() for f in final), inputs)
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


def by_the_paper(rnn, sentence):
    """Cho et al. 2014, equations (5) to (8), number by number, over one sentence."""
    w_ih, w_hh, b_ih, b_hh = rnn.all_weights[0]
    H, h, states = w_hh.size(1), torch.zeros(w_hh.size(1), dtype=torch.float64), []
    for x in sentence:
        total = lambda row, seen: (w_ih[row] * x).sum() + (w_hh[row] * seen).sum() + b_ih[row] + b_hh[row]  # noqa: B023, E731
        r, z = (torch.stack([total(gate * H + i, h).sigmoid() for i in range(H)]) for gate in (0, 1))
        n = torch.stack([total(2 * H + i, r * h).tanh() for i in range(H)])
        h = torch.stack([(1 - z[i]) * n[i] + z[i] * h[i] for i in range(H)])
        states.append(h)
    return torch.stack(states)


def test_the_gru_of_the_paper_against_a_loop_over_numbers():
    """States, final state and every gradient, both directions; torch's GRU with these weights gives something else."""
    encoder = Recurrent(5, "gru_reset_before", 4, 1, bidirectional=True).double()
    inputs = torch.randn(4, 7, 5, dtype=torch.float64, requires_grad=True)
    encoded, rows = encoder(inputs, MASK), []
    for sentence, length in zip(inputs, LENGTHS.tolist(), strict=True):
        there = by_the_paper(encoder.rnns[0], sentence[:length])
        back = by_the_paper(encoder.rnns[1], sentence[:length].flip(0)).flip(0)
        rows.append(nn.functional.pad(torch.cat([there, back], -1), (0, 0, 0, 7 - length)))
    expected, probe = torch.stack(rows), torch.randn(4, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(encoded.states, expected, atol=1e-13, rtol=1e-12)
    torch.testing.assert_close(encoded.final[0][1, 0, :4], expected[1, 1, :4])
    parameters = [inputs, *encoder.parameters()]
    ours, theirs = (torch.autograd.grad((s * probe).sum(), parameters) for s in (encoded.states, expected))
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-10)
    plain = Recurrent(5, "gru", 4, 1, bidirectional=True).double()
    plain.load_state_dict(encoder.state_dict())
    assert (plain(inputs, MASK).states - expected).abs().max() > 1e-3


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_reset_before", "rnn"])
def test_what_stands_on_padding_does_not_matter(cell):
    encoder = Recurrent(5, cell, 4, 2)
    inputs = torch.randn(4, 7, 5)
    other = torch.where(MASK[..., None], inputs, 100.0)
    longer = torch.cat([inputs, torch.randn(4, 3, 5)], 1)
    longer_mask = torch.cat([MASK, torch.zeros(4, 3, dtype=torch.bool)], 1)
    encoded = encoder(inputs, MASK)
    for again in (encoder(other, MASK), encoder(longer, longer_mask)):
        torch.testing.assert_close(again.states[:, :7], encoded.states)
        torch.testing.assert_close((again.summary, again.final), (encoded.summary, encoded.final))


def test_embedding_encoder_is_the_words_and_their_mean():
    inputs = torch.randn(4, 7, 5)
    encoded = Embedding(5)(inputs, MASK)
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(encoded.states[row, :length], inputs[row, :length])
        torch.testing.assert_close(encoded.summary[row], inputs[row, :length].mean(0))
    assert (encoded.states[~MASK] == 0).all()
