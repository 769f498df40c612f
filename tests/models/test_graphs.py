"""Passes by graph against passes without; where there is no GPU, "capturing" is doing the same work again."""

from functools import partial
from typing import NamedTuple

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.windows.all import All
from attnlab.decoders.luong import Luong
from attnlab.decoders.readout import Attentional
from attnlab.encoders.recurrent import Recurrent
from attnlab.models.graphs import Graphs, Passes
from attnlab.models.seq2seq import passes
from attnlab.types import tree_map

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Repeats:
    """Does the work again where CUDA would replay it."""

    def __init__(self):
        self.recorded = 0

    def __call__(self, work):
        self.recorded += 1
        again = torch.enable_grad()(work)
        again()
        return again

    def warm(self, work):
        work()


class Refuses(Repeats):
    def __call__(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand a trace")


@pytest.fixture
def recorder():
    return None if DEVICE == "cuda" else Repeats()


def batches(collate, count, seed=0):
    """Of one shape, with other words and lengths."""
    torch.manual_seed(seed)
    made = []
    for _ in range(count):
        lengths = [(4, 5), (1 + int(torch.randint(4, ())), 1 + int(torch.randint(5, ()))), (2, 3)]
        made.append(
            collate([(torch.randint(4, 11, (s,)).tolist(), torch.randint(4, 13, (t,)).tolist()) for s, t in lengths])
        )
    return [tree_map(lambda leaf: leaf.to(DEVICE), batch) for batch in made]


def gradients(model, call, batch):
    model.zero_grad(set_to_none=True)
    decoded = call(batch)
    model.loss(batch, decoded).total.backward()
    return decoded, [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]


PARTS = {
    "plain": {},
    "additive": {"attention": partial(Attention, Bahdanau, All, Softmax)},
    "lstm encoder": {"encoder": partial(Recurrent, cell="lstm", hidden_dim=4)},
    "all steps at once": {"decoder": partial(Luong, readout=Attentional, cell="lstm", hidden_dim=6, layers=2)},
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_replays_equal_plain_passes(make_model, make_batch, recorder, parts):
    model = make_model(**parts).to(DEVICE).train()
    graphs = Graphs(passes(model), recorder=recorder)
    for number, batch in enumerate(batches(make_batch, 5)):
        expected, plain = gradients(model, model, batch)
        found, replayed = gradients(model, graphs, batch)
        torch.testing.assert_close(found.features, expected.features)
        torch.testing.assert_close(found.weights, expected.weights)
        torch.testing.assert_close(replayed, plain)
        assert len(graphs._pairs) == (number > 0)
        with torch.no_grad():  # an optimizer's step: a graph must see it
            for parameter in model.parameters():
                parameter.mul_(1.1)


def test_a_gpu_captures(make_model, make_batch):
    """What the tests without a GPU cannot see: that CUDA takes the capture."""
    if DEVICE == "cpu":
        pytest.skip("needs a GPU")
    model = make_model(dropout=0.3).float().to(DEVICE).train()
    graphs = Graphs(passes(model))
    losses = []
    for batch in batches(make_batch, 2) * 3:
        losses.append(model.loss(batch, graphs(batch)).total)
        losses[-1].backward()
    assert not graphs.failed
    assert len(graphs._pairs) == 1
    assert len({loss.item() for loss in losses}) == len(losses), "dropout draws anew in every replay"


def test_gradients_add_up_over_passes(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs, given = Graphs(passes(model), recorder=recorder), batches(make_batch, 4)
    for batch in given:
        model.loss(batch, model(batch)).total.backward()
    expected = [parameter.grad.clone() for parameter in model.parameters()]
    graphs(given[0])  # seen once
    model.zero_grad(set_to_none=True)
    for batch in given:
        model.loss(batch, graphs(batch)).total.backward()
    assert len(graphs._pairs) == 1
    torch.testing.assert_close([parameter.grad for parameter in model.parameters()], expected)


def test_gradients_add_up_over_shapes(make_model, make_batch, recorder):
    """A shape is captured while the gradients of another one wait to be added to."""
    model = make_model().to(DEVICE).train()
    short, long = (
        [tree_map(lambda leaf: leaf.to(DEVICE), make_batch([([4] * n, [5] * n), ([word], [6])])) for word in (7, 8)]
        for n in (2, 5)
    )
    graphs = Graphs(passes(model), recorder=recorder)
    for batch in (*short, long[0]):
        gradients(model, graphs, batch)
    model.zero_grad(set_to_none=True)
    for batch in (short[0], long[1]):  # replayed; captured
        model.loss(batch, graphs(batch)).total.backward()
    found = [parameter.grad.clone() for parameter in model.parameters()]
    assert len(graphs._pairs) == 2
    model.zero_grad(set_to_none=True)
    for batch in (short[0], long[1]):
        model.loss(batch, model(batch)).total.backward()
    torch.testing.assert_close(found, [parameter.grad for parameter in model.parameters()])


def test_a_second_forward_before_the_first_backward_runs_plain(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs, (first, second, third) = Graphs(passes(model), recorder=recorder), batches(make_batch, 3)
    graphs(first)
    expected = [gradients(model, model, batch)[1] for batch in (second, third)]
    model.zero_grad(set_to_none=True)
    both = [model.loss(batch, graphs(batch)).total for batch in (second, third)]
    sum(both).backward()
    torch.testing.assert_close(
        [parameter.grad for parameter in model.parameters()], [a + b for a, b in zip(*expected, strict=True)]
    )
    del both
    forgotten = graphs(second)  # no backward pass will come
    assert type(forgotten.features.grad_fn).__name__ == "ReplayBackward"
    del forgotten
    assert type(graphs(third).features.grad_fn).__name__ == "ReplayBackward"


def test_a_second_backward_is_refused(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs, (first, second) = Graphs(passes(model), recorder=recorder), batches(make_batch, 2)
    graphs(first)
    total = model.loss(second, graphs(second)).total
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="cuda_graphs=false"):
        total.backward()


def test_parameters_that_moved_are_captured_anew(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs, (first, second, third) = Graphs(passes(model), recorder=recorder), batches(make_batch, 3)
    graphs(first), graphs(second)
    for parameter in model.parameters():
        parameter.data = parameter.data * 0.5
    expected, found = model(third), graphs(third)
    torch.testing.assert_close(found.features, expected.features)


def test_only_training_passes_replay(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs, (first, second) = Graphs(passes(model), recorder=recorder), batches(make_batch, 2)
    with torch.no_grad():
        graphs(first), graphs(second)
    model.eval()
    graphs(first), graphs(second)
    assert not graphs._pairs
    assert not graphs._seen


def test_what_cannot_be_captured_runs_plain_and_says_so_once(make_model, make_batch, caplog):
    model = make_model().to(DEVICE).train()
    graphs, given = Graphs(passes(model), recorder=Refuses()), batches(make_batch, 4)
    for batch in given:
        expected, plain = gradients(model, model, batch)
        found, replayed = gradients(model, graphs, batch)
        torch.testing.assert_close(found.features, expected.features)
        torch.testing.assert_close(replayed, plain)
    (said,) = caplog.messages
    assert said.endswith("(operation not permitted when stream is capturing); it runs without")


def test_the_shape_not_used_for_longest_gives_way(make_model, make_batch, recorder):
    model = make_model().to(DEVICE).train()
    graphs = Graphs(passes(model), recorder=recorder, most=2)
    shapes = [make_batch([([4] * n, [5] * n)]) for n in (2, 3, 4)]
    for batch in (tree_map(lambda leaf: leaf.to(DEVICE), b) for b in shapes for _ in range(2)):
        gradients(model, graphs, batch)
    assert [shape.sizes[0] for shape in graphs._pairs] == [(1, 3), (1, 4)]


def test_a_drawn_alignment_keeps_its_gradient(make_model, make_batch, recorder):
    """Its log-probability and entropy enter the loss beside the features."""
    model = make_model(attention=partial(Attention, Bahdanau, All, Sampled)).to(DEVICE).train()
    graphs, (first, second) = Graphs(passes(model, ("features", "sample")), recorder), batches(make_batch, 2)
    graphs(first)
    decoded = graphs(second)
    assert decoded.sample.log_prob.requires_grad
    assert decoded.sample.entropy.requires_grad
    decoded.sample.log_prob.sum().backward()
    (found,) = [p.grad for name, p in model.named_parameters() if name.endswith("score.v_a.weight")]
    assert found.abs().sum() > 0


class Restless(torch.nn.Module):
    """Lays its parameter out anew when it has been exchanged, as torch's recurrent modules do on a GPU."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, device=DEVICE, dtype=torch.float64))
        self.known = [self.weight]

    def forward(self, words):
        if self.known[0] is not self.weight:
            self.weight.data = self.weight.data.clone()
            self.known = [self.weight]
        return words * self.weight


def test_a_module_that_moves_its_parameters_is_not_captured(make_model, make_batch, recorder, caplog):
    """Its graph would go on with the numbers of the pass that was captured."""
    model = make_model().to(DEVICE).train()
    model.dropout = Restless()
    graphs, (batch, *_) = Graphs(passes(model), recorder=recorder), batches(make_batch, 2)
    expected = model(batch)
    for _ in range(3):
        torch.testing.assert_close(graphs(batch).features, expected.features)
    assert graphs.failed
    assert "moves its parameters" in caplog.text


class Judged(NamedTuple):
    scores: torch.Tensor
    weights: tuple[torch.Tensor, torch.Tensor] | None
    trace: object


class Judge(torch.nn.Module):
    """Of another task: other arguments, other fields, and one that no tree of tensors can hold."""

    def __init__(self):
        super().__init__()
        self.words, self.rank = torch.nn.Embedding(9, 4), torch.nn.Linear(4, 3)

    def forward(self, words, mask):
        weights = torch.softmax(self.words(words).sum(-1).masked_fill(~mask, -torch.inf), -1)
        return Judged(self.rank((weights.unsqueeze(-1) * self.words(words)).sum(1)), (weights, weights * 2), object())


def test_any_network_is_captured_by_what_its_task_says_of_it(recorder):
    torch.manual_seed(0)
    model = Judge().to(DEVICE).train()
    named = Passes(model, lambda words, mask: (words, mask), ("scores", "weights"), ("scores",))
    graphs = Graphs(named, recorder)
    for step in range(4):
        words = torch.randint(9, (2, 5), device=DEVICE)
        mask = torch.arange(5, device=DEVICE) < torch.tensor([[5], [1 + step]], device=DEVICE)
        expected, found = model(words, mask), graphs(words, mask)
        torch.testing.assert_close(found.scores, expected.scores)
        torch.testing.assert_close(found.weights, expected.weights)
        wanted = torch.autograd.grad(expected.scores.square().sum(), list(model.parameters()))
        given = torch.autograd.grad(found.scores.square().sum(), list(model.parameters()))
        torch.testing.assert_close(given, wanted)
        if step:
            assert found.trace is None
            assert not found.weights[0].requires_grad
    assert not graphs.failed
    assert len(graphs._pairs) == 1
