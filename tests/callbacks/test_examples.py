"""The items that are looked at after every validation."""

from attnlab.callbacks.examples import spread

LENGTHS = [9, 1, 4, 2, 7, 3, 8, 5, 6, 30]


def chosen(count: int, longest: int | None = None, lengths: list[int] = LENGTHS) -> list[int]:
    return [lengths[number] for number in spread(lengths, count, longest)]


def test_choice_is_spread_over_lengths_and_shortest_first() -> None:
    # Ten lengths in two halves: the middles are the third and the eighth in order of length (3 and 8 tokens).
    assert chosen(2) == [3, 8]
    assert chosen(5) == [2, 4, 6, 8, 30]


def test_long_items_are_chosen_only_for_want_of_shorter_ones() -> None:
    assert max(chosen(5, longest=10)) <= 10
    assert chosen(3, longest=2) == [1, 2, 3]
    assert chosen(4, lengths=[1, 30]) == [1, 30]


def test_what_is_empty_is_not_looked_at() -> None:
    assert spread([0, 3, 0], 2) == [1]
    assert spread([0, 0], 2) == []
    assert spread([], 2) == []
    assert spread(LENGTHS, 0) == []
