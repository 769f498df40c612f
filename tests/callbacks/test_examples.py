"""The sentences that are looked at after every validation."""

import random

import torch

from attnlab.callbacks.examples import Example, Examples, collate
from attnlab.types import BOS, EOS, PAD, Batch

LENGTHS = [9, 1, 4, 2, 7, 3, 8, 5, 6, 30]


def example(number: int) -> Example:
    length = LENGTHS[number]
    return Example(number, list(range(4, 4 + length)), [BOS, *range(10, 10 + length + 1), EOS])


def batches(numbers: list[int], size: int) -> list[Batch]:
    return [
        collate([example(number) for number in numbers[start : start + size]], torch.device("cpu"))
        for start in range(0, len(numbers), size)
    ]


def choice(numbers: list[int], size: int, count: int, max_length: int | None = None) -> list[int]:
    examples = Examples(count, max_length)
    for batch in batches(numbers, size):
        examples.add(batch)
    chosen = examples.choose()
    assert chosen == [example(item.number) for item in chosen]  # padding gone, nothing else
    return [item.number for item in chosen]


def test_choice_is_spread_over_lengths_and_shortest_first() -> None:
    # Ten lengths in two halves: the middles are the third and the eighth in order of length (3 and 8 tokens).
    assert [LENGTHS[number] for number in choice(list(range(10)), 4, count=2)] == [3, 8]
    assert [LENGTHS[number] for number in choice(list(range(10)), 4, count=5)] == [2, 4, 6, 8, 30]


def test_choice_depends_on_the_sentences_only() -> None:
    order = list(range(10))
    expected = choice(order, 4, count=4)
    for size in (1, 3, 10):
        random.Random(size).shuffle(order)
        assert choice(order, size, count=4) == expected


def test_long_sentences_are_chosen_only_for_want_of_shorter_ones() -> None:
    assert max(LENGTHS[number] for number in choice(list(range(10)), 4, count=5, max_length=10)) <= 10
    assert [LENGTHS[number] for number in choice(list(range(10)), 4, count=3, max_length=2)] == [1, 2, 3]
    assert [LENGTHS[number] for number in choice([1, 9], 2, count=4)] == [1, 30]


def test_choice_stays() -> None:
    examples = Examples(2)
    for batch in batches([0, 1, 2], 2):
        examples.add(batch)
    first = examples.choose()
    for batch in batches(list(range(10)), 2):
        examples.add(batch)
    assert examples.choose() is first
    assert Examples(2).choose() == []


def test_collate_is_a_batch() -> None:
    batch = collate([example(1), example(2)], torch.device("cpu"))
    assert batch.source.tolist() == [[4, PAD, PAD, PAD], [4, 5, 6, 7]]
    assert batch.source_mask.tolist() == [[True, False, False, False], [True] * 4]
    assert batch.target.tolist() == [[BOS, 10, 11, EOS, PAD, PAD, PAD], [BOS, 10, 11, 12, 13, 14, EOS]]
    assert batch.target_mask.tolist() == [[True] * 3 + [False] * 3, [True] * 6]
    assert batch.tokens.tolist() == [0, 1, 2, 6, 7, 8, 9, 10, 11]
    assert batch.index.tolist() == [1, 2]
