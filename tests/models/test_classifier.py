"""The classifier: a text alone or in a batch, with every encoder; what is hidden in training; pretrained vectors."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from attnlab.attention.base import Attention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.tanh_dot import TanhDot
from attnlab.attention.windows.all import All
from attnlab.data.labelled.ngrams import Ngrams, Speller
from attnlab.data.labelled.vectors import Vectors
from attnlab.encoders.convolutional import Convolutional
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.encoders.tcn import Tcn
from attnlab.errors import ConfigError
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.models.classifier import Classifier
from attnlab.pooling.context_vector import ContextVector
from attnlab.pooling.mean import Mean
from attnlab.types import UNK

LENGTHS = [6, 2, 1]
ENCODERS = {
    "embedding": Embedding,
    "lstm": partial(Recurrent, cell="lstm", hidden_dim=4),
    "gru": partial(Recurrent, cell="gru", hidden_dim=4, layers=2),
    "rnn": partial(Recurrent, cell="rnn", hidden_dim=4),
    "convolutional": partial(Convolutional, position=Sinusoidal, hidden_dim=6, layers=2),
    "tcn": partial(Tcn, hidden_dim=6, layers=2),
}


def attention(normalizer=Softmax):
    return partial(ContextVector, attention=partial(Attention, TanhDot, All, normalizer))


def model(encoder=Embedding, pooling=None, **settings):
    torch.manual_seed(3)
    built = Classifier(
        20, 3, encoder, pooling or attention(), Initialization(kind="torch"), **({"embedding_dim": 6} | settings)
    )
    return built.double()


def texts():
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    words = torch.randint(4, 20, mask.shape, generator=torch.Generator().manual_seed(1)) * mask
    speller = Speller(Ngrams(buckets=11))
    numbers = np.zeros(mask.shape, np.int64)
    for row, length in enumerate(LENGTHS):
        numbers[row, :length] = speller.number([f"w{word}" for word in words[row, :length].tolist()])
    return words, mask, numbers, speller


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("ngrams", [0, 11])
def test_a_text_alone_or_in_a_batch(name, ngrams):
    built = model(ENCODERS[name], ngrams=ngrams).eval()
    words, mask, numbers, speller = texts()
    found = built(words, mask, speller.spell(numbers) if ngrams else None)
    for row, length in enumerate(LENGTHS):
        cut = slice(row, row + 1), slice(length)
        apart = built(words[cut], mask[cut], speller.spell(numbers[cut]) if ngrams else None)
        torch.testing.assert_close(apart.logits[0], found.logits[row], atol=1e-12, rtol=0)
        torch.testing.assert_close(apart.weights[0], found.weights[row, :, :length], atol=1e-12, rtol=0)


def test_losses():
    built = model().eval()
    words, mask, *_ = texts()
    label, weights = torch.tensor([0, 2, 1]), torch.tensor([1.0, 2.0, 5.0])
    found = built(words, mask)
    objective, entropy = built.losses(found, label, 0.1, weights)
    for row, gold in enumerate(label.tolist()):
        logp = found.logits[row].log_softmax(-1)
        expected = -0.9 * logp[gold] - 0.1 * logp.mean()
        torch.testing.assert_close(entropy[row], expected)
        torch.testing.assert_close(objective[row], expected * weights[gold])


def test_hidden_words_read_as_unknown_in_training_only():
    built = model(pooling=Mean, word_dropout=0.5, embedding_dropout=0.0)
    words, mask, *_ = texts()
    unknown = built.embedding.weight[UNK]
    read = torch.stack([built.read(words, mask) for _ in range(400)])
    hidden = (read == unknown).all(-1).double().mean(0)
    assert (hidden[mask] - 0.5).abs().max() < 0.12  # 4.8 standard errors
    assert hidden[~mask].max() == 0
    torch.testing.assert_close(built.eval().read(words, mask), built.embedding(words))


def test_ngrams_of_hidden_words_are_hidden_by_their_own_share():
    built = model(pooling=Mean, word_dropout=0.999999, ngram_dropout=0.5, embedding_dropout=0.0, ngrams=11)
    words, mask, numbers, speller = texts()
    spelled, unknown = speller.spell(numbers), built.embedding.weight[UNK]
    read = torch.stack([built.read(words, mask, spelled) for _ in range(400)])
    bare = (read == unknown).all(-1).double().mean(0)
    assert (bare[mask] - 0.5).abs().max() < 0.12


def test_pretrained_vectors():
    table, known = np.zeros((20, 6), np.float32), np.zeros(20, bool)
    table[5], known[5] = np.arange(6), True
    built = model(vectors=Vectors(table, known), train_embeddings=False, pooling=Mean)
    assert built.embedding.weight[5].tolist() == [0, 1, 2, 3, 4, 5]
    words = torch.tensor([[5, 6]])
    before = built.embedding.weight.detach().clone()
    optimizer = torch.optim.AdamW(built.parameters(), lr=0.1, weight_decay=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        built(words, words > 0).logits.sum().backward()
        optimizer.step()
    built.eval()(words, words > 0)  # as a validation does, before a checkpoint is written
    assert torch.equal(built.embedding.weight[5], before[5])
    assert not torch.equal(built.embedding.weight[6], before[6])
    assert not any("fixed" in name for name in built.state_dict())  # such a run is read without the file
    with pytest.raises(ConfigError, match=r"model.embedding_dim is 8; set model.embedding_dim=6"):
        model(vectors=Vectors(table, known), embedding_dim=8)


def test_weights_that_are_drawn_are_learnt_from():
    built = model(pooling=attention(Sampled)).train()
    words, mask, *_ = texts()
    label, real = torch.tensor([0, 2, 1]), torch.ones(3, dtype=torch.bool)
    found = built(words, mask)
    assert found.sample.log_prob.shape == (3, 1)
    built.surrogate(found, label, real).backward()
    assert built.pooling.U.grad.abs().sum() > 0
    assert built.eval()(words, mask).sample is None


def test_losses_of_half_precision_are_wide():
    built = model().eval().to(torch.bfloat16)
    words, mask, *_ = texts()
    label, found = torch.tensor([0, 1, 2]), built(words, mask)
    objective, entropy = built.losses(found, label)
    assert objective.dtype == entropy.dtype == torch.float32
    assert torch.equal(entropy, F.cross_entropy(found.logits.float(), label, reduction="none"))
