"""The hierarchical network: against loops over sentences and words; padding; controls and draws of both levels."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.tanh_dot import TanhDot
from attnlab.attention.windows.all import All
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.encoders.tcn import Tcn
from attnlab.layers.initialization import Initialization
from attnlab.models.hierarchical import FILLED, Hierarchical, alike, groups
from attnlab.pooling.context_vector import ContextVector
from attnlab.pooling.max import Max
from attnlab.pooling.mean import Mean
from attnlab.pooling.structured import Structured, likeness

DOCUMENTS = [[3, 9, 1, 2], [5], [1, 1]]  # words of each sentence
GRU = partial(Recurrent, cell="gru", hidden_dim=3)
ENCODERS = {"embedding": Embedding, "gru": GRU, "lstm": partial(Recurrent, cell="lstm", hidden_dim=3),
            "tcn": partial(Tcn, hidden_dim=6, layers=2)}  # fmt: skip


def attention(kind=ContextVector, normalizer=Softmax, **settings):
    return partial(kind, attention=partial(Attention, TanhDot, All, normalizer), **settings)


def build(words=GRU, sentences=GRU, pooling=None, sentence_pooling=None, **settings):
    torch.manual_seed(3)
    poolings = pooling or attention(), sentence_pooling or attention()
    start = Initialization(kind="uniform", scale=0.8)
    model = Hierarchical(20, 3, words, poolings[0], sentences, poolings[1], start, embedding_dim=4, **settings)
    return model.double().eval()


def batch(documents=DOCUMENTS):
    """Words, mask, and the words of each sentence; the same words for the same document."""
    longest, most = max(map(sum, documents)), max(map(len, documents))
    words, sentences = torch.zeros(len(documents), longest, dtype=torch.long), torch.zeros(len(documents), most)
    for row, lengths in enumerate(documents):
        draw = torch.Generator().manual_seed(sum(lengths))
        words[row, : sum(lengths)] = torch.randint(4, 20, (sum(lengths),), generator=draw)
        sentences[row, : len(lengths)] = torch.tensor(lengths)
    return words, words > 0, None, sentences.long()


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def look(pooling, annotations):
    """Yang et al. 2016, (5) to (7) and (8) to (10), number by number."""
    W, b, u = pooling.attention.score.W.weight, pooling.attention.score.W.bias, pooling.U[0]
    scores = []
    for h in annotations:
        scores.append(dot([torch.tanh(dot(row, h) + bias) for row, bias in zip(W, b, strict=True)], u))
    exps = [torch.exp(score) for score in scores]
    weights = [e / sum(exps) for e in exps]
    return sum(weight * h for weight, h in zip(weights, annotations, strict=True)), torch.stack(weights)


def annotations(encoder, vectors):
    """Of one sequence by itself, which is not padded."""
    sequence = torch.stack(list(vectors)).unsqueeze(0)
    return encoder(sequence, torch.ones(sequence.shape[:2], dtype=torch.bool)).states[0]


def by_loops(model, words, lengths):
    """The logits of one document, and the weights of its words and sentences."""
    sentences, seen, start = [], [], 0
    for length in lengths:
        embedded = [model.embedding.weight[word] for word in words[start : start + length]]
        vector, weights = look(model.encoder.pooling, annotations(model.encoder.words, embedded))
        sentences.append(vector)
        seen.append(weights)
        start += length
    document, above = look(model.pooling, annotations(model.encoder.sentences, sentences))
    logits = [dot(row, document) + bias for row, bias in zip(model.output.weight, model.output.bias, strict=True)]
    return torch.stack(logits), torch.cat(seen), above


def test_as_loops_over_words_and_sentences_have_it():
    model, inputs = build(), batch()
    found = model(*inputs)
    label = torch.tensor([0, 2, 1])
    expected = [by_loops(model, inputs[0][row].tolist(), lengths) for row, lengths in enumerate(DOCUMENTS)]
    for row, (logits, words, sentences) in enumerate(expected):
        torch.testing.assert_close(found.logits[row], logits, rtol=0, atol=1e-12)
        torch.testing.assert_close(found.weights[row, 0, : len(words)], words.detach(), rtol=0, atol=1e-12)
        torch.testing.assert_close(found.sentence_weights[row, 0, : len(sentences)], sentences, rtol=0, atol=1e-12)
        assert found.weights[row, 0, len(words) :].abs().sum() == 0
        assert found.sentence_weights[row, 0, len(sentences) :].abs().sum() == 0
    names, parameters = zip(*model.named_parameters(), strict=True)
    ours = torch.autograd.grad(F.cross_entropy(found.logits, label), parameters)
    theirs = torch.autograd.grad(F.cross_entropy(torch.stack([logits for logits, *_ in expected]), label), parameters)
    for name, one, other in zip(names, ours, theirs, strict=True):
        assert one.abs().max() > 0, name
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12, msg=name)


@pytest.mark.parametrize("words", ENCODERS)
@pytest.mark.parametrize("sentences", ENCODERS)
def test_a_document_alone_or_in_a_batch(words, sentences):
    model = build(ENCODERS[words], ENCODERS[sentences])
    found = model(*batch())
    for row, lengths in enumerate(DOCUMENTS):
        alone = model(*batch([lengths]))
        torch.testing.assert_close(alone.logits[0], found.logits[row], rtol=0, atol=1e-12)
        torch.testing.assert_close(alone.weights[0], found.weights[row, :, : sum(lengths)], rtol=0, atol=1e-12)
        above = found.sentence_weights[row, :, : len(lengths)]
        torch.testing.assert_close(alone.sentence_weights[0], above, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("pooling", "sentence_pooling"), [(Mean, None), (None, Mean), (Mean, Max)])
def test_controls_at_either_level(pooling, sentence_pooling):
    model, inputs = build(Embedding, Embedding, pooling, sentence_pooling), batch()
    found = model(*inputs)
    assert (found.weights is None, found.sentence_weights is None) == (pooling is Mean, sentence_pooling is not None)
    assert model.has_weights == (pooling is None or sentence_pooling is None)
    if sentence_pooling is Max:
        vectors, start = [], 0
        for length in DOCUMENTS[0]:
            vectors.append(model.embedding.weight[inputs[0][0, start : start + length]].mean(0))
            start += length
        torch.testing.assert_close(found.logits[0], model.output(torch.stack(vectors).amax(0)))


def test_groups_have_every_word_of_every_sentence_once():
    words, _, _, sentences = batch()
    found = list(groups(sentences, words.size(1)))
    assert len(found) > 1
    read = {}
    for rows, places, real in found:
        assert real.sum(1).min() >= FILLED * real.size(1)
        for row, place, kept in zip(rows.tolist(), places, real, strict=True):
            read[row] = words.flatten()[place[kept]].tolist()
    expected = []
    for row, lengths in enumerate(DOCUMENTS):
        ends = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
        expected += [words[row, a:b].tolist() for a, b in pairwise(ends)]
    assert [read[row] for row in range(len(read))] == expected
    assert list(alike([9, 5, 4, 1])) == [(0, 2, 9), (2, 3, 4), (3, 4, 1)]


def test_dropped_words_are_dropped_in_training_only():
    model = build(Embedding, Embedding, word_dropout=0.5, state_dropout=0.5)
    inputs = batch()
    assert torch.equal(model(*inputs).logits, model(*inputs).logits)
    model.train()
    assert not torch.equal(model(*inputs).logits, model(*inputs).logits)


def test_a_penalty_at_either_level():
    model = build(pooling=attention(Structured, looks=2, penalty=1.0),
                  sentence_pooling=attention(Structured, looks=2, penalty=0.5))  # fmt: skip
    found = model(*batch())
    for row, lengths in enumerate(DOCUMENTS):
        each, start = [], 0
        for length in lengths:
            each.append(likeness(found.weights[row : row + 1, :, start : start + length]))
            start += length
        above = likeness(found.sentence_weights[row : row + 1, :, : len(lengths)])
        torch.testing.assert_close(found.penalty[row], sum(each)[0] / len(each) + 0.5 * above[0])


@pytest.mark.parametrize("level", ["pooling", "sentence_pooling"])
def test_weights_that_are_drawn_are_learnt_from_at_either_level(level):
    model = build(**{level: attention(normalizer=Sampled)}).train()
    inputs, label, real = batch(), torch.tensor([0, 2, 1]), torch.ones(3, dtype=torch.bool)
    model.surrogate(model(*inputs), label, real, inputs[3]).backward()
    drawn = model.encoder.pooling if level == "pooling" else model.pooling
    assert drawn.U.grad.abs().sum() > 0


def test_of_what_is_drawn_in_sentences_each_has_the_reward_of_its_document():
    model = build(pooling=attention(normalizer=Sampled)).train()
    inputs, label = batch(), torch.tensor([0, 2, 1])
    found = model(*inputs)
    asked = []
    model.encoder.pooling.attention.surrogate = lambda *arguments: asked.append(arguments) or torch.zeros(())
    model.surrogate(found, label, torch.tensor([True, True, False]), inputs[3])
    ((sample, reward, looks),) = asked
    rewards = found.logits.detach().float().log_softmax(-1)[range(3), label]
    torch.testing.assert_close(reward, rewards[[0, 0, 0, 0, 1, 2, 2]])
    assert looks.tolist() == [[True]] * 5 + [[False]] * 2
    assert sample.log_prob.shape == (7, 1)


def test_texts_without_sentences_are_refused():
    words, mask, *_ = batch()
    with pytest.raises(ValueError, match="says of no sentence where it ends"):
        build()(words, mask)
