"""Words of documents that are read by sentences: their weight is that of the sentence times their own."""

from functools import partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.sigmoid import Sigmoid
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.normalizers.sparsemax import Sparsemax
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.scores.tanh_dot import TanhDot
from attnlab.attention.windows.all import All
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.errors import ConfigError
from attnlab.explanation import rankings
from attnlab.explanation.distributions import uniform
from attnlab.explanation.explaining import by_weights
from attnlab.layers.initialization import Initialization
from attnlab.models.hierarchical import Hierarchical
from attnlab.pooling.context_vector import ContextVector
from attnlab.tasks.documents.explaining import DocumentWords, require_two_levels, sentences_of_words

SOFT = partial(Attention, TanhDot, All, Softmax)
GRU = partial(Recurrent, cell="gru", hidden_dim=4)
SENTENCES = torch.tensor([[2, 3, 1], [4, 1, 0]])


def hierarchical(below=SOFT, above=SOFT, encoder=GRU):
    torch.manual_seed(1)
    return Hierarchical(
        20, 3, encoder, partial(ContextVector, attention=below), encoder, partial(ContextVector, attention=above),
        Initialization("uniform", 0.5), embedding_dim=6,
    ).double().eval()  # fmt: skip


def documents(model):
    torch.manual_seed(2)
    mask = torch.arange(6) < SENTENCES.sum(1, keepdim=True)
    words = torch.randint(4, 20, mask.shape) * mask
    return DocumentWords(model.read(words, mask), mask, model, sentences_of_words(SENTENCES, mask)), words


@pytest.mark.parametrize("normalizer", [Softmax, Sparsemax])
def test_own_weights_give_the_own_output_and_are_products(normalizer):
    level = partial(Attention, TanhDot, All, normalizer)
    model = hierarchical(level, level)
    found, words = documents(model)
    said = model(words, found.mask, None, SENTENCES)
    torch.testing.assert_close(found.output, said.logits.softmax(-1))
    torch.testing.assert_close(found.given(found.weights), found.output)
    torch.testing.assert_close(found.read(found.inputs, found.mask, found.weights).output, found.output)
    for row, lengths in enumerate(SENTENCES.tolist()):
        start = 0
        for number, length in enumerate(lengths):
            for place in range(start, start + length):
                assert found.sentence[row, place] == number
                expected = said.weights[row, 0, place] * said.sentence_weights[row, 0, number]
                assert found.attention[row, place].item() == pytest.approx(expected.item())
            start += length
    torch.testing.assert_close(found.attention.sum(1), torch.ones(2, dtype=torch.float64))


def test_other_weights_by_hand():
    """Encoders that read each word and sentence alone: what is said is of a sum over all words."""
    model = hierarchical(encoder=Embedding)
    found, words = documents(model)
    other = uniform(found)
    vectors = torch.stack([other[row, 0] @ model.read(words, found.mask)[row] for row in range(2)])
    torch.testing.assert_close(found.given(other), model.output(vectors).softmax(-1))


def test_gradients_reach_weights_and_words():
    found, _ = documents(hierarchical())
    gradient = by_weights(found).squeeze(1)
    assert (gradient * found.mask).abs().sum() > 0
    row, place, step = 0, 3, 1e-6
    moved = found.weights.clone()
    moved[row, 0, place] += step
    slope = (found.told(found.given(moved)) - found.told(found.given(found.weights)))[row] / step
    assert gradient[row, place].item() == pytest.approx(slope.item(), rel=1e-3)
    assert (rankings.gradients(found) > 0).sum() == found.mask.sum()


def test_a_word_left_out_is_one_that_never_stood_there_nor_a_sentence_that_had_no_other():
    model = hierarchical()
    found, words = documents(model)
    moved = rankings.leave_one_out(found)
    for row, lengths in enumerate(SENTENCES.tolist()):
        end = sum(lengths)
        for place in range(end):
            left = torch.cat([words[row, :place], words[row, place + 1 : end]]).unsqueeze(0)
            shorter = [length - int(number == found.sentence[row, place]) for number, length in enumerate(lengths)]
            sentences = torch.tensor([[int(length) for length in shorter if length]])
            said = model(left, torch.ones_like(left, dtype=torch.bool), None, sentences).logits.softmax(-1)
            expected = (said - found.output[row]).abs().sum() / 2
            assert moved[row, place].item() == pytest.approx(expected.item())


def test_what_has_no_joint_weights_is_refused():
    with pytest.raises(ConfigError, match="positions are words without it"):
        require_two_levels(torch.nn.Linear(1, 1))
    heads = partial(MultiHead, ScaledDot, All, Softmax, heads=2)
    for levels, what in (
        ({"below": partial(Attention, TanhDot, All, Sigmoid)}, "pooling"),
        ({"above": heads}, "sentence_pooling"),
    ):
        with pytest.raises(ConfigError, match=f"; {what} has others"):
            require_two_levels(hierarchical(**levels))
