"""FLOPs counted by running a model, against FLOPs written out from its sizes."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from attnlab.models.flops import count, moments
from attnlab.types import Batch

E, H, D, R, V, A = 10, 6, 8, 7, 30, 5  # embedding, encoder, decoder, readout, vocabulary, attention


def lengths(pairs):
    """A batch of pairs of these lengths; only its masks matter."""
    source, target = (torch.tensor(side) for side in zip(*pairs, strict=True))
    masks = [torch.arange(int(side.max())) < side[:, None] for side in (source, target)]
    return Batch(
        masks[0].long(), masks[0], torch.zeros(len(pairs), 1).long(), masks[1], masks[1].flatten().nonzero(), source
    )


class Plain(nn.Module):
    """Encoder LSTM both ways, decoder LSTM, bilinear attention, readout, output; products only, one after another."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, E)
        self.encoder = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.bridge, self.keys = nn.Linear(2 * H, D), nn.Linear(2 * H, D)
        self.decoder = nn.LSTM(E, D, batch_first=True)
        self.readout, self.output = nn.Linear(D + 2 * H, R), nn.Linear(R, V)
        self.dropout = nn.Dropout(0.5)

    def forward(self, batch):
        states, (last, _) = self.encoder(self.embed(batch.source))
        first = self.bridge(last.transpose(0, 1).flatten(1))[None]
        outputs, _ = self.decoder(self.embed(batch.target[:, :-1]), (first, first))
        weights = (outputs @ self.keys(states).transpose(1, 2)).softmax(-1)
        return self.dropout(self.readout(torch.cat([outputs, weights @ states], -1)))

    def loss(self, batch, features):
        return self.output(features).sum()


def written_out(source, target):
    encoder = 2 * source * (E * 4 * H + H * 4 * H)
    keys = source * 2 * H * D
    decoder = target * (E * 4 * D + D * 4 * D)
    attention = target * source * (D + 2 * H)
    rest = target * ((D + 2 * H) * R + R * V)
    return 3 * 2 * (encoder + keys + decoder + attention + rest + 2 * H * D)


@pytest.mark.parametrize("pairs", [[(1, 1)], [(7, 4)], [(7, 4), (3, 9), (12, 12)]])
@pytest.mark.parametrize("onednn", [True, False])
def test_equals_what_is_written_out(pairs, onednn):
    model, enabled = Plain().train(), torch.backends.mkldnn.enabled
    torch._C._set_mkldnn_enabled(onednn)  # fused recurrent layers, or one product a step
    try:
        work = count(model)
    finally:
        torch._C._set_mkldnn_enabled(enabled)
    assert work.of(moments(lengths(pairs))) == sum(written_out(*pair) for pair in pairs)


def test_nothing_of_a_training_is_touched():
    model = Plain().train()
    model.readout.eval()
    before = torch.random.get_rng_state()
    count(model)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert model.training
    assert model.dropout.training
    assert not model.readout.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_cudnn_layers_count_like_others():
    from attnlab.models.flops import _cudnn_layers

    lstm = nn.LSTM(E, H, num_layers=2, bidirectional=True)
    shapes = [tuple(weight.shape) for weight in lstm.parameters()]
    assert _cudnn_layers((9, 4, E), shapes) == 2 * 9 * 4 * 2 * 4 * H * ((E + H) + (2 * H + H))


def test_the_comparison_of_the_benchmarks(make_model):
    """The products of the real model scale with its lengths as the polynomial says: checked at a fourth length."""
    model = make_model()
    work, pair = count(model), SimpleNamespace(source=9, target=5)
    from attnlab.models.flops import _forward

    direct = 3 * _forward(model, pair.source, pair.target, torch.device("cpu"))
    assert work.of(moments(lengths([(pair.source, pair.target)]))) == direct


def test_products_with_a_packed_weight_count_like_others(make_model):
    """In float32 a decoder loop of several steps packs its weights, in float64 it does not."""
    single, double = make_model().float(), make_model()
    torch.testing.assert_close(count(single).coefficients, count(double).coefficients)
