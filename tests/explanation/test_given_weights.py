"""Real models asked with other weights: their own give their own output, and everything is as it was afterwards."""

from functools import partial

import pytest
import torch
from composing import CONF, compose
from hydra.utils import instantiate
from omegaconf import OmegaConf

from attnlab.attention.given import given, mechanism_of, watched
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.errors import ConfigError
from attnlab.explanation import rankings
from attnlab.explanation.distributions import uniform
from attnlab.layers.initialization import Initialization
from attnlab.models.classifier import Classifier
from attnlab.pooling.context_vector import ContextVector
from attnlab.pooling.mean import Mean
from attnlab.tasks.classification.explaining import TextInstances

PRESETS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))


def attention(preset):
    config = compose(f"attention={preset}")
    return instantiate(OmegaConf.create(OmegaConf.to_container(config.attention, resolve=True)))


GRU = partial(Recurrent, cell="gru", hidden_dim=4)


def classifier(pooling, encoder=GRU):
    torch.manual_seed(3)
    return Classifier(20, 3, encoder, pooling, Initialization(kind="torch"), embedding_dim=8).double().eval()


def texts(model):
    mask = torch.arange(6) < torch.tensor([6, 4, 1]).unsqueeze(1)
    words = torch.randint(4, 20, mask.shape) * mask
    return TextInstances(model.read(words, mask).detach(), mask, model), words, mask


@pytest.mark.parametrize("preset", PRESETS)
def test_own_weights_give_the_own_output(preset):
    try:
        model = classifier(partial(ContextVector, attention=attention(preset), query_dim=8))
        mechanism_of(model.pooling.attention)
    except ConfigError:
        return  # one that looks back, or looks at nothing: told by the tests of poolings
    parts = list(model.modules())
    found, words, mask = texts(model)
    expected = model(words, mask).logits.softmax(-1)
    torch.testing.assert_close(found.output, expected)
    torch.testing.assert_close(found.given(found.weights), expected)
    torch.testing.assert_close(found.read(found.inputs, mask, found.weights).output, expected)
    shown = model(words, mask).weights.mean(1)
    torch.testing.assert_close(found.attention, shown * mask)
    weights = uniform(found).requires_grad_()
    (gradient,) = torch.autograd.grad(found.given(weights)[:, 0].sum(), [weights])
    assert gradient[0].abs().sum() > 0
    assert list(model.modules()) == parts


def test_a_word_left_out_is_one_that_never_stood_there():
    model = classifier(partial(ContextVector, attention=attention("bahdanau")))
    found, words, _ = texts(model)
    moved = rankings.leave_one_out(found)
    for row, end in enumerate([6, 4]):
        for place in range(end):
            left = torch.cat([words[row, :place], words[row, place + 1 : end]]).unsqueeze(0)
            said = model(left, torch.ones_like(left, dtype=torch.bool)).logits.softmax(-1)
            expected = (said - found.output[row]).abs().sum() / 2
            assert moved[row, place].item() == pytest.approx(expected.item())


def test_without_an_encoder_a_head_is_a_sum_of_its_words():
    """Heads: one permutation of words and weights together changes nothing."""
    model = classifier(partial(ContextVector, attention=partial(attention("multi_head"), heads=2)), Embedding)
    found, _, mask = texts(model)
    assert found.weights.shape == (3, 2, 6)
    turned = TextInstances(found.inputs.flip(1)[:1], mask[:1], model)
    torch.testing.assert_close(turned.given(found.weights.flip(2)[:1]), found.output[:1])


def test_what_failed_leaves_a_model_as_it_was():
    model = classifier(partial(ContextVector, attention=attention("luong_dot"), query_dim=8))
    parts = list(model.modules())
    for context in (given(model.pooling.attention, torch.ones(1, 1, 1)), watched(model.pooling.attention)):
        with pytest.raises(RuntimeError, match="on purpose"), context:
            raise RuntimeError("on purpose")
    assert list(model.modules()) == parts


def test_nothing_to_be_explained_by():
    with pytest.raises(ConfigError, match="attention=uniform"):
        texts(classifier(Mean))
