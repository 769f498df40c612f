"""What each task can be asked: with its own weights a model says what it says, and only the weights decide the rest."""

from functools import partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau as BahdanauScore
from attnlab.attention.scores.coverage import Coverage
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.scores.tanh_dot import TanhDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.decoders.bahdanau import Bahdanau
from attnlab.decoders.conditional_gru import ConditionalGru
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional
from attnlab.decoders.transformer import Transformer
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.explanation.distributions import uniform
from attnlab.explanation.rankings import leave_one_out
from attnlab.layers.bridges import NoBridge
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.transformer import LayerSettings
from attnlab.models.decomposable import Decomposable
from attnlab.models.forecaster import Forecaster
from attnlab.models.hierarchical import Hierarchical
from attnlab.models.matching import Embedded
from attnlab.models.pair_classifier import PairClassifier
from attnlab.models.word_by_word import WordByWord
from attnlab.pooling.context_vector import ContextVector
from attnlab.tasks.classification.explaining import TextInstances
from attnlab.tasks.entailment.explaining import PairInstances
from attnlab.tasks.forecasting.explaining import WindowInstances
from attnlab.tasks.translation.explaining import WordInstances, spread
from attnlab.types import Side

ADDITIVE = partial(Attention, partial(BahdanauScore, attention_dim=4), All, Softmax)
HEADS = partial(MultiHead, ScaledDot, All, Softmax, heads=2)
STACK = {"position": Sinusoidal, "self_attention": partial(Attention, ScaledDot, All, Softmax),
         "layer": LayerSettings(heads=2, feedforward_dim=8), "layers": 2}  # fmt: skip
DECODERS = {
    "bahdanau": (ADDITIVE, partial(Bahdanau, readout=Attentional, hidden_dim=6)),
    "luong": (partial(Attention, partial(BahdanauScore, attention_dim=4), partial(LocalM, D=2), Softmax),
              partial(Luong, readout=Attentional, hidden_dim=6)),
    "input_feeding": (HEADS, partial(LuongInputFeeding, readout=Attentional, cell="lstm", hidden_dim=6)),
    "looking_back": (partial(Attention, partial(Coverage, attention_dim=4), All, Softmax),
                     partial(ConditionalGru, readout=Attentional, hidden_dim=6)),
    "transformer": (HEADS, partial(Transformer, **STACK)),
}  # fmt: skip


def agree(found, expected):
    """Own weights, given back, say what the model says; other ones do not; gradients reach them."""
    torch.testing.assert_close(found.output, expected)
    torch.testing.assert_close(found.given(found.weights), expected)
    torch.testing.assert_close(found.read(found.inputs, found.mask, found.weights).output, expected)
    other = uniform(found).requires_grad_()
    moved = found.given(other)
    assert (moved - expected).abs().max() > 1e-7
    (gradient,) = torch.autograd.grad(found.told(moved).sum(), [other])
    assert gradient[0].abs().sum() > 0


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("step", [0, 1])
def test_a_word_of_a_translation(make_model, batch, name, step):
    attention, decoder = DECODERS[name]
    more = {"embedding_dim": 8, "bridge": NoBridge} if name == "transformer" else {}
    more["initialization"] = Initialization("uniform", 1.0)
    model = make_model(attention=attention, decoder=decoder, **more)
    rows = slice(0, 2) if step else slice(0, 3)  # the last target has one word
    source, mask, target = batch.source[rows], batch.source_mask[rows], batch.target[rows]
    found = WordInstances(model.read_source(source), mask, model, target[:, : step + 1])
    decoded = model(batch)
    expected = model.logits(decoded.features)[rows, step].softmax(-1)
    agree(found, expected)
    torch.testing.assert_close(found.attention, decoded.weights[rows, step])
    moved = leave_one_out(found)
    left = source[:1, 1:], mask[:1, 1:]
    one = WordInstances(model.read_source(left[0]), left[1], model, target[:1, : step + 1])
    torch.testing.assert_close(moved[0, 0].double(), (one.output - found.output[:1]).abs().sum() / 2, rtol=1e-5, atol=0)


def test_steps_are_spread_evenly():
    assert spread(3, 3) == [0, 1, 2]
    assert spread(2, 5) == [0, 1]
    assert spread(9, 3) == [1, 4, 7]
    assert spread(10, 1) == [5]
    assert spread(0, 3) == []


MATCHINGS = {
    "decomposable": partial(Decomposable, encoder=Embedding, attention=partial(Attention, LuongDot, All, Softmax)),
    "heads": partial(Decomposable, encoder=Embedding, attention=HEADS),
    "word_by_word": partial(WordByWord, encoder=partial(Recurrent, hidden_dim=4), attention=ADDITIVE),
    "one_way": partial(WordByWord, encoder=partial(Recurrent, hidden_dim=4), attention=ADDITIVE, two_way=False),
}


@pytest.mark.parametrize("name", MATCHINGS)
def test_a_pair(name):
    torch.manual_seed(1)
    model = PairClassifier(20, 3, 2, MATCHINGS[name], Initialization("uniform", 0.5), embedding_dim=6, hidden_dim=5)
    model = model.double().eval()
    mask, other = (torch.arange(n) < torch.tensor(lengths)[:, None] for n, lengths in ((5, [5, 3]), (4, [2, 4])))
    sides = [Side(torch.randint(4, 20, one.shape) * one, one) for one in (mask, other)]
    expected = model(*sides)
    premise, hypothesis = map(model.embedded, sides)
    found = PairInstances(premise.words, mask, model, Embedded(*hypothesis), None)
    agree(found, expected.logits.softmax(-1))
    heads = found.weights.size(1) // other.size(1)
    shown = (expected.weights * other.unsqueeze(-1) * mask.unsqueeze(1)).sum(1) / other.sum(1, keepdim=True)
    torch.testing.assert_close(found.attention, shown)
    assert found.looks.sum(1).tolist() == [heads * 2, heads * 4]


def test_the_sentences_of_a_document():
    torch.manual_seed(1)
    level = {"attention": partial(Attention, TanhDot, All, Softmax)}
    model = Hierarchical(
        20, 3, partial(Recurrent, cell="gru", hidden_dim=4), partial(ContextVector, **level),
        partial(Recurrent, cell="gru", hidden_dim=3), partial(ContextVector, **level),
        Initialization("uniform", 0.5), embedding_dim=6,
    ).double().eval()  # fmt: skip
    sentences = torch.tensor([[2, 3, 1], [4, 1, 0]])
    mask = torch.arange(6) < sentences.sum(1, keepdim=True)
    words = torch.randint(4, 20, mask.shape) * mask
    expected = model(words, mask, None, sentences)
    vectors, real, _ = model.encoder.vectors(model.read(words, mask), sentences)
    found = TextInstances(vectors, real, model)
    agree(found, expected.logits.softmax(-1))
    torch.testing.assert_close(found.attention, expected.sentence_weights.squeeze(1) * real)
    shorter = model(words[:1, 2:], mask[:1, 2:], None, sentences[:1, 1:]).logits.softmax(-1)
    left = found.select(torch.tensor([0])).without(torch.tensor([[True, False, False]]))
    torch.testing.assert_close(left, shorter)


@pytest.mark.parametrize("attention", [ADDITIVE, HEADS])
def test_a_window_of_a_series(attention):
    torch.manual_seed(1)
    size = {"lookback": 8, "horizon": 2, "channels": 1, "targets": 1, "features": 0, "season": 2}
    model = Forecaster(
        partial(Recurrent, cell="gru", hidden_dim=4), attention, Initialization("uniform", 0.5), embedding_dim=4,
        state_dim=4, patch=2, **size,
    ).double().eval()  # fmt: skip
    past, nothing, known = torch.randn(3, 8, 1).double(), torch.zeros(3, 8, 0).double(), torch.zeros(3, 2, 0).double()
    told = model(past, nothing, known)
    inputs = model.embed(model.moved(past)[0], nothing)
    mask = torch.ones(3, 4, dtype=torch.bool)
    found = WindowInstances(inputs, mask, model, past, known)
    agree(found, told.values[..., 0].flatten(1))
    torch.testing.assert_close(found.attention, told.weights.mean(1))
    level = past[:, -1:]  # a place that is left out stays at it
    blank = torch.cat([past[:, :2], level, level, past[:, 4:]], 1)
    one = torch.tensor([[False, True, False, False]] * 3)
    torch.testing.assert_close(found.without(one), model(blank, nothing, known).values[..., 0].flatten(1))
