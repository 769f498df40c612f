"""Character n-grams: those of the paper's example, hashed as zlib does, each word of a batch spelt once."""

from zlib import crc32

import numpy as np
import pytest
import torch

from attnlab.data.corpora.labelled import Labelled
from attnlab.data.labelled.module import LabelledData
from attnlab.data.labelled.ngrams import Ngrams, Speller
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.encoders.embedding import Embedding
from attnlab.errors import ConfigError
from attnlab.layers.initialization import Initialization
from attnlab.models.classifier import Classifier
from attnlab.pooling.mean import Mean


def test_those_of_where():
    """Bojanowski et al. 2017, section 3.2: n = 3 gives <wh, whe, her, ere, re>."""
    found = Ngrams(buckets=1 << 31, shortest=3, longest=3)("where")
    assert found == [crc32(ngram) % (1 << 31) for ngram in (b"<wh", b"whe", b"her", b"ere", b"re>")]
    assert len(Ngrams(shortest=3, longest=6)("where")) == 5 + 4 + 3 + 2


def test_a_word_shorter_than_the_shortest_is_its_own():
    assert Ngrams(buckets=1 << 31, shortest=5)("a") == [crc32(b"<a>") % (1 << 31)]


def test_the_longest_is_no_shorter_than_the_shortest():
    with pytest.raises(ConfigError, match=r"data.ngrams: longest=2 is less than shortest=3"):
        Ngrams(shortest=3, longest=2)


def test_every_different_word_of_a_batch_once():
    speller = Speller(Ngrams(buckets=97))
    words = [["one", "two", "one"], ["three"]]
    numbers = np.zeros((2, 3), np.int64)
    for row, text in enumerate(words):
        numbers[row, : len(text)] = speller.number(text)
    spelled = speller.spell(numbers)
    ends = [*spelled.starts[1:].tolist(), len(spelled.ngrams)]
    rows = [spelled.ngrams[a:b].tolist() for a, b in zip(spelled.starts.tolist(), ends, strict=True)]
    assert len(rows) == 4  # and padding
    for row, text in enumerate(words):
        for place, word in enumerate(text):
            assert rows[spelled.places[row, place]] == Ngrams(buckets=97)(word)
    assert rows[spelled.places[1, 2]] == []


@pytest.fixture
def built(tmp_path):
    (tmp_path / "a.tsv").write_text(
        "text\tlabel\n" + "\n".join(f"word{n} shared\t{'ab'[n % 2]}" for n in range(40)), "utf-8"
    )
    corpus = Labelled(root=str(tmp_path), train="a.tsv", val_size=5, test_size=5)
    data = LabelledData(corpus, Whitespace, ngrams=Ngrams(buckets=50))
    data.setup()
    return data


def test_a_word_is_its_embedding_and_the_mean_of_its_ngrams(built):
    torch.manual_seed(0)
    model = Classifier(
        **built.dimensions(),
        ngrams=50,
        encoder=Embedding,
        pooling=Mean,
        initialization=Initialization(),
        embedding_dim=6,
    )
    model.eval()
    batch = built.batch("test", [0, 3])
    read = model.read(batch.words, batch.mask, batch.spelled)
    for row, number in enumerate(batch.index.tolist()):
        for place, word in enumerate(built.text("test", number).split()):
            buckets = torch.tensor(Ngrams(buckets=50)(word))
            expected = model.embedding.weight[batch.words[row, place]] + model.ngrams.weight[buckets].mean(0)
            torch.testing.assert_close(read[row, place], expected)
    with pytest.raises(ValueError, match=r"reads n-grams of words, and the batch has none"):
        model(batch.words, batch.mask)


def test_unknown_words_differ_by_their_ngrams(built):
    model = Classifier(
        **built.dimensions(),
        ngrams=50,
        encoder=Embedding,
        pooling=Mean,
        initialization=Initialization(),
        embedding_dim=6,
    )
    model.train()
    model.word_dropout, model.embedding_dropout.p = 0.999999, 0.0
    batch = built.batch("train", [0, 1])
    read = model.read(batch.words, batch.mask, batch.spelled)
    assert (read[0, 0] - read[1, 0]).abs().max() > 1e-4


def test_a_table_of_another_size_is_told(built):
    model = Classifier(
        **built.dimensions(), ngrams=49, encoder=Embedding, pooling=Mean, initialization=Initialization()
    )
    with pytest.raises(ConfigError, match=r"model.ngrams=49 and data.ngrams.buckets=50"):
        built.check_model(model)
