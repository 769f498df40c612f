"""The data card, counted again by plain loops."""

from statistics import median

import numpy as np
import pytest

from attnlab.data.card import DataCard, Side, SplitCard, shared, side_of
from attnlab.data.labelled.batches import split_of
from attnlab.data.labelled.counted import card_of
from attnlab.data.tokenizers.word import Word


def test_a_side():
    assert side_of(np.array([3, 1, 8]), 2) == Side(12, 2, 3.0, 8)
    assert side_of(np.array([3, 1, 8]), 3).unknown_rate == pytest.approx(0.25)
    assert side_of(np.zeros(0, np.int64), 0) == Side(0, 0, 0.0, 0)
    assert side_of(np.zeros(0, np.int64), 0).unknown_rate == 0


def test_what_splits_share():
    train = [(b"a", b"x"), (b"b", b"y"), (b"c", b"z")]
    others = {"val": [(b"q", b"q")], "test": [(b"a", b"x"), (b"a", b"y"), (b"b", b"q"), (b"n", b"z")]}
    found = shared(lambda: train, {name: (lambda items=items: items) for name, items in others.items()}, ["s", "t"])
    for name, items in others.items():
        assert found[name] == {
            "s": sum(item[0] in {left for left, _ in train} for item in items),
            "t": sum(item[1] in {right for _, right in train} for item in items),
            "both": sum(item in train for item in items),
        }
    assert found["test"] == {"s": 3, "t": 3, "both": 1}


def test_of_labelled_texts():
    train, test = ["a good film", "a bad film", "a film"], ["a film", "a strange film", "good"]
    tokenizer = Word("en")
    tokenizer.fit(train[:2])  # "strange" is unknown
    splits = {name: split_of(texts, [0] * len(texts), tokenizer) for name, texts in (("train", train), ("test", test))}
    card = card_of("mine", splits, np.array([0, 1]), len(tokenizer), ["train: 1 skipped: empty"], {"good": 2})
    assert card.splits["train"] == SplitCard(2, {"text": Side(6, 0, 3.0, 3)}, {})
    lengths = [len(text.split()) for text in test]
    assert card.splits["test"] == SplitCard(3, {"text": Side(sum(lengths), 1, median(lengths), 3)}, {"text": 1})
    assert card.warnings == ["test: 1 of 3 texts stand in train word for word"]
    assert card.plain()["left_out"] == ["train: 1 skipped: empty"]
    assert card.numbers()["data/test/text_unknown"] == pytest.approx(1 / 6, abs=1e-6)
    assert card.numbers()["data/test/text_in_train"] == 1


def test_nothing_is_said_of_validation():
    card = DataCard("x", "pairs", {}, {"val": SplitCard(3, {}, {"both": 2})}, ())
    assert card.warnings == []
