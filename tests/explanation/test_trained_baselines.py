"""Models trained to be held against a run, where it is known by construction what they can reach."""

import math
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.windows.all import All
from attnlab.data.labelled.batches import LabelledBatch
from attnlab.encoders.recurrent import Recurrent
from attnlab.errors import ConfigError
from attnlab.explanation.trained import Known, Perceptron, apart, distributed, guided, imitate, known, relative
from attnlab.layers.initialization import Initialization
from attnlab.models.classifier import Classifier
from attnlab.models.hierarchical import Hierarchical
from attnlab.pooling.context_vector import ContextVector
from attnlab.tasks.classification.explaining import said_of

WORDS, LENGTH = 4, 6


class Batch(NamedTuple):
    words: Any
    mask: Any
    label: Any


def told_by_weights(count: int) -> list[Known]:
    """Texts whose class is one of their words, and only the weights say which; a batch of 16 each."""
    found = []
    for _ in range(count):
        words = torch.randint(WORDS, (16, LENGTH))
        place = torch.randint(LENGTH, (16,))
        weights = torch.nn.functional.one_hot(place, LENGTH).float().unsqueeze(1)
        label = words.gather(1, place.unsqueeze(1)).squeeze(1)
        mask = torch.ones_like(words, dtype=torch.bool)
        output = torch.nn.functional.one_hot(label, WORDS).float()
        found.append(Known(Batch(words, mask, label), words, mask, label, output, weights))
    return found


def test_weights_that_alone_know_the_class_help_and_no_others():
    torch.manual_seed(1)
    train, test = told_by_weights(40), told_by_weights(20)
    right = {}
    for guide in ("given", "uniform", "own"):
        model = Perceptron(WORDS, WORDS, 16, guide)
        hits = guided(model, train, test, epochs=12)
        right[guide] = sum(hits) / len(hits)
    assert right["given"] == 1
    # A word at random is the class's own one in 1/6 of the cases, and by chance in a quarter of the others.
    assert max(right["uniform"], right["own"]) < 0.7


def test_a_perceptron_by_a_scalar_loop():
    torch.manual_seed(2)
    model = Perceptron(5, 2, 3, "own").double()
    words, mask = torch.tensor([[1, 4, 2, 0]]), torch.tensor([[True, True, True, False]])
    h = [torch.tanh(model.W.weight @ model.embedding.weight[word] + model.W.bias) for word in (1, 4, 2)]
    scores = [(model.v.weight[0] @ torch.tanh(model.W_a.weight @ one + model.W_a.bias)).exp() for one in h]
    summed = sum(score / sum(scores) * one for score, one in zip(scores, h, strict=True))
    expected = model.output.weight @ summed + model.output.bias
    torch.testing.assert_close(model(words, mask, torch.zeros(1, 4))[0], expected)


def classifier(encoder: Any) -> Classifier:
    additive = partial(Attention, partial(Bahdanau, attention_dim=8), All, Softmax)
    pooling = partial(ContextVector, attention=additive)
    return Classifier(WORDS + 4, 2, encoder, pooling, Initialization("uniform", 0.3), embedding_dim=8)


def texts(model: Classifier, count: int) -> list[Known]:
    """Of any words; what the model says of them."""
    found = []
    for _ in range(count):
        words = torch.randint(4, WORDS + 4, (16, LENGTH))
        batch = LabelledBatch(words, torch.ones_like(words, dtype=torch.bool), torch.zeros(16).long(), torch.arange(16))
        with torch.no_grad():
            found.append(known(batch, said_of(model, batch)))
    return found


@pytest.mark.long
def test_where_weights_do_not_matter_an_adversary_looks_elsewhere_and_says_the_same():
    """A run that says the same of every text can be imitated with any weights; unrewarded, they stay where they are."""
    torch.manual_seed(3)
    encoder = partial(Recurrent, cell="gru", hidden_dim=6)
    model = classifier(encoder).eval()
    torch.nn.init.zeros_(model.output.weight)
    model.output.bias.data = torch.tensor([0.2, -0.2])  # p = 0.6 and 0.4
    train = texts(model, 30)
    divergences = {}
    for rate in (0.0, 0.1):
        adversary = classifier(encoder)
        imitate(adversary, said_of, train, rate, epochs=10)
        found, own = apart(adversary, said_of, train)
        assert found.change < 0.05
        assert len(own) == len(train)
        divergences[rate] = found.divergence
    assert divergences[0.1] > 0.15 > 5 * divergences[0.0]


def test_how_far_weights_are_apart():
    mask = torch.tensor([[True, True, False]])
    a = distributed(torch.tensor([[[0.5, 0.25, 0.9]]]), mask)
    assert a.flatten().tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    b = distributed(torch.tensor([[[0.0, 1.0, 0.0]]]), mask)
    assert relative(b, a).item() == pytest.approx(math.log(3))
    assert relative(a, b).item() == pytest.approx(2 / 3 * math.log(2 / 3 / 1e-6) + 1 / 3 * math.log(1 / 3), rel=1e-4)


def test_two_levels_are_refused():
    model = Hierarchical.__new__(Hierarchical)
    with pytest.raises(ConfigError, match="model=classifier"):
        said_of(model, LabelledBatch(*[torch.zeros(1, 1).long()] * 4))
