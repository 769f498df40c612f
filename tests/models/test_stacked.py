"""Networks stacked against each of them alone, the gradients of every parameter included."""

import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from attnlab.cli.app import composed
from attnlab.cli.commands.train import COMMAND
from attnlab.errors import ConfigError
from attnlab.models.graphs import Graphs, Passes
from attnlab.models.meeting import Stack
from attnlab.models.stacked import Given, Stacked, batch_of, padded

SMALL = ("encoder.hidden_dim=6", "decoder.hidden_dim=8", "model.embedding_dim=8")
LAYERS = ("encoder.layer.heads=2", "encoder.layer.feedforward_dim=12")
TRANSFORMER = ("experiment=grammar_transformer", "model.embedding_dim=8", *LAYERS)
KINDS = {
    "transformer": TRANSFORMER,
    "transformer, t5": (*TRANSFORMER, "position=t5"),
    "transformer, rotary, tied": (*TRANSFORMER, "position=rotary", "model.tie=decoder"),
    "lstm": SMALL,
    "gru, two layers": (*SMALL, "encoder=gru", "decoder.cell=gru", "encoder.layers=2", "decoder.layers=2"),
    "elman, local": (*SMALL, "encoder=rnn", "decoder.cell=rnn", "attention=luong_local_p"),
    "location": (*SMALL, "attention=luong_location"),
}
BY_HAND = {
    "input feeding": (*SMALL, "decoder=luong_input_feeding"),
    "additive": (*SMALL, "attention=luong_concat"),
    "bahdanau": (*SMALL, "attention=bahdanau"),
    "entmax": (*SMALL, "attention/normalizer=entmax15"),
}


def made(overrides, count=3, dropout=0.0, dtype=torch.float64):
    """Networks with weights of their own."""
    config = composed(COMMAND, list(overrides)).model
    networks = []
    for seed in range(count):
        torch.manual_seed(seed)
        network = instantiate(config)(source_vocabulary=11, target_vocabulary=13).to(dtype).train()
        for part in network.modules():
            if isinstance(part, nn.Dropout):
                part.p = dropout
            if hasattr(part, "dropout") and isinstance(part.dropout, float):
                part.dropout = dropout
        networks.append(network)
    return networks


def batches(sizes=((3, 5, 4), (5, 3, 6), (2, 6, 2))):
    """Of other shapes; rows, source, target of each."""
    found = []
    for seed, (rows, source, target) in enumerate(sizes):
        torch.manual_seed(seed)
        lengths = torch.randint(1, source + 1, (rows,))
        lengths[0] = source
        mask = torch.arange(source) < lengths[:, None]
        words = torch.randint(4, 11, mask.shape).masked_fill(~mask, 0)
        found.append(Given(words, mask, torch.randint(4, 13, (rows, target))))
    return found


def generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def own(found, number, given):
    return found[number, : len(given.inputs), : given.inputs.size(1)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["double", "single"])
def test_every_network_says_and_learns_what_it_does_alone(kind, dtype, close):
    networks, data = made(KINDS[kind], dtype=dtype), batches()
    found = Stacked(networks, generators(3))(*padded(data))
    sum(own(found.features, n, each).square().mean() for n, each in enumerate(data)).backward()
    gradients = [{name: p.grad for name, p in network.named_parameters()} for network in networks]
    for number, (network, each) in enumerate(zip(networks, data, strict=True)):
        network.zero_grad()
        decoded = network(batch_of(*each), each.inputs)
        torch.testing.assert_close(own(found.features, number, each), decoded.features, atol=close, rtol=close)
        if found.weights is not None:
            seen = own(found.weights, number, each)
            torch.testing.assert_close(
                seen[..., : each.source.size(1)], decoded.weights.to(seen.dtype), atol=close, rtol=close
            )
            assert not seen[..., each.source.size(1) :].any()
        decoded.features.square().mean().backward()
        for name, parameter in network.named_parameters():
            expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            given = gradients[number][name]
            given = torch.zeros_like(parameter) if given is None else given
            torch.testing.assert_close(given, expected, atol=close * max(1, float(expected.abs().max())), rtol=close)


@pytest.mark.parametrize("kind", ["transformer", "lstm", "gru, two layers"])
def test_dropout_is_each_ones_own(kind):
    """What a network draws depends on its generator and on nobody else, and another state draws something else."""
    networks, (first, *_) = made((*KINDS[kind], "model.source_word_dropout=0.2"), 2, dropout=0.3), batches()
    networks[0].source_words.p = networks[1].source_words.p = 0.2
    together = generators(2)
    found = Stacked(networks, together)(*padded([first, first])).features
    alone = generators(2)
    for number in range(2):
        by_itself = Stacked([networks[number]], [alone[number]])(*padded([first])).features
        torch.testing.assert_close(found[number], by_itself[0])
        assert torch.equal(together[number].get_state(), alone[number].get_state())
    again = Stacked(networks, together)(*padded([first, first])).features
    assert not torch.allclose(found, again)


@pytest.mark.parametrize("kind", BY_HAND)
def test_what_has_its_backward_pass_written_by_hand_is_refused(kind):
    with pytest.raises(ConfigError, match="a backward pass written by hand has no batched form"):
        Stacked(made(BY_HAND[kind], 2), generators(2))(*padded(batches()[:2]))


def test_what_is_random_besides_is_refused():
    networks = made((*SMALL, "attention/normalizer=gumbel"), 2)
    with pytest.raises(ConfigError, match="cannot be stacked"):
        Stacked(networks, generators(2))(*padded(batches()[:2]))


class Repeats:
    """Does the work again where CUDA would replay it."""

    def __call__(self, work):
        again = torch.enable_grad()(work)
        again()
        return again

    def warm(self, work):
        work()


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_passes_by_graph(kind):
    networks, stacked = made(KINDS[kind], 2), padded(batches()[:2])
    network = Stacked(networks, generators(2))
    graphs = Graphs(Passes(network, lambda *given: given, ("features", "weights"), ("features", "weights")), Repeats())
    for _ in range(3):
        for parameter in network.parameters():
            parameter.grad = None
        graphs(*stacked).features.square().sum().backward()
    assert not graphs.failed
    found = [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]
    network.zero_grad()
    network(*stacked).features.square().sum().backward()
    expected = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    torch.testing.assert_close(found, expected)


def test_who_has_left_is_not_waited_for():
    networks, data = made(KINDS["lstm"], 2), batches()
    waited = []

    def wait():
        waited.append(len(stack.seats))
        stack.leave(other)

    stack = Stack(wait)
    seat, other = (stack.join(network) for network in networks)
    each = data[0]
    decoded = seat(batch_of(*each), each.inputs)
    assert waited == [2]
    seat.backward(decoded.features.square().sum())
    assert networks[0].output.weight.grad is None
    assert networks[0].source_embedding.weight.grad.abs().sum() > 0
    torch.testing.assert_close(decoded.features, networks[0](batch_of(*each), each.inputs).features)
