"""Documents as batches: which words stand where, how limits cut and are told of, what a batch holds at most."""

import json
import logging

import numpy as np
import pytest

from attnlab.data.batching import EvaluationBatches
from attnlab.data.corpora.documents import Documents
from attnlab.data.documents.module import DocumentData
from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.sentences import Weightless
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.errors import ConfigError, DataError
from attnlab.types import UNK


def written(folder, documents=40):
    draw = np.random.default_rng(1)
    rows = []
    for number in range(documents):
        lengths = draw.integers(1, 7, draw.integers(1, 6))
        sentences = [" ".join(f"w{draw.integers(9)}" for _ in range(length)) + f" d{number}" for length in lengths]
        rows.append({"label": "ab"[number % 2], "sentences": sentences})
    path = folder / "my.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path, {"\n".join(row["sentences"]): row for row in rows}


def opened(folder, **settings):
    path, rows = written(folder)
    data = DocumentData(Documents(root=str(folder), train=str(path)), Whitespace, **settings)
    data.setup()
    return data, rows


@pytest.mark.parametrize("limits", [(None, None), (2, None), (None, 3), (2, 3)])
def test_a_batch_as_loops_make_it(tmp_path, limits):
    most, longest = limits
    data, rows = opened(tmp_path, max_sentences=most, max_words=longest, ngrams=Ngrams(buckets=50))
    for split in ("train", "test"):
        numbers = list(range(data.size(split)))
        batch = data.batch(split, numbers)
        read = [
            [sentence.split()[:longest] for sentence in rows[data.text(split, number)]["sentences"][:most]]
            for number in numbers
        ]
        assert [[n for n in row if n] for row in batch.sentences.tolist()] == [list(map(len, one)) for one in read]
        for row, document in enumerate(read):
            words = [word for sentence in document for word in sentence]
            ids = batch.words[row, batch.mask[row]].tolist()
            assert len(ids) == len(words) == int(batch.sentences[row].sum())
            tokens = data.tokenizer.tokens(ids)
            assert [token if number != UNK else word for token, number, word in zip(tokens, ids, words, strict=True)] \
                == words  # fmt: skip
            starts = [*batch.spelled.starts.tolist(), len(batch.spelled.ngrams)]
            for word, place in zip(words, batch.spelled.places[row].tolist(), strict=False):
                own = batch.spelled.ngrams[starts[place] : starts[place + 1]].tolist()
                assert own == Ngrams(buckets=50)(word)


def test_what_limits_leave_unread_is_counted_and_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        data, rows = opened(tmp_path, max_sentences=2, max_words=3)
    texts = [data.text("train", number) for number in range(data.size("train"))]
    documents = sentences = words = 0
    for text in texts:
        lengths = [len(sentence.split()) for sentence in rows[text]["sentences"]]
        unread = sum(lengths[2:]) + sum(max(0, length - 3) for length in lengths[:2])
        documents, sentences, words = documents + (unread > 0), sentences + len(lengths[2:]), words + unread
    assert documents > 0 < sentences
    told = (
        f"train: {documents} documents not read whole, for data.max_sentences and data.max_words: {sentences} "
        f"sentences left unread, {words} words in all"
    )
    assert told in data.card.left_out
    assert told in caplog.text
    side = data.card.splits["train"].sides
    assert side["sentence"].longest == 3
    assert side["sentences"].longest == 2
    assert side["sentence"].tokens == side["text"].tokens == sum(data.lengths("train")[0])


def test_without_limits_nothing_is_told(tmp_path):
    data, rows = opened(tmp_path)
    assert data.card.left_out == ()
    lengths = [len(sentence.split()) for number in range(data.size("train"))
               for sentence in rows[data.text("train", number)]["sentences"]]  # fmt: skip
    side = data.card.splits["train"].sides["sentence"]
    assert (side.tokens, side.longest, side.median) == (sum(lengths), max(lengths), float(np.median(lengths)))
    assert data.card.items == "documents"


def test_limits_make_other_data(tmp_path):
    assert (
        len({opened(tmp_path, **more)[0].fingerprint() for more in ({}, {"max_sentences": 2}, {"max_words": 2})}) == 3
    )
    with pytest.raises(ConfigError, match="max_sentences=0"):
        opened(tmp_path, max_sentences=0)


def test_a_model_that_knows_too_few_positions_is_refused(tmp_path):
    data, _ = opened(tmp_path)

    class Short:
        longest_text = None

        def __init__(self, **limits):
            self.sentence_limits = {"sentences": None, "words in a sentence": None} | limits

    data.check_model(Short(sentences=5))
    with pytest.raises(DataError, match=r"has 5 sentences, and .* end at 4; set position.max_positions=5 or more"):
        data.check_model(Short(sentences=4))
    with pytest.raises(DataError, match=r"train document \d+ has 7 words in a sentence, and"):
        data.check_model(Short(**{"words in a sentence": 6}))


@pytest.mark.parametrize("tokens", [None, 30, 200])
@pytest.mark.parametrize("processes", [1, 3])
def test_batches_of_tests_are_bounded(tokens, processes):
    lengths = np.random.default_rng(0).integers(1, 60, 50)
    shares = [EvaluationBatches(lengths, lengths * 0, 8, (rank, processes), tokens=tokens) for rank in range(processes)]
    assert len({len(share) for share in shares}) == 1
    real = [batch for share in shares for batch in share if not isinstance(batch, Weightless)]
    assert sorted(row for batch in real for row in batch) == list(range(50))
    for batch in real:
        sizes = lengths[batch]
        assert len(batch) <= 8
        assert sizes.tolist() == sorted(sizes, reverse=True)
        assert tokens is None or len(batch) == 1 or len(batch) * sizes[0] <= tokens
