"""Splits share nothing, lose nothing and stay the same."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnlab.data.corpus import Pair, Report
from attnlab.data.groups import split_by_groups
from attnlab.data.splitting import Splits, count, lowest_ranked, rank
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")
PAIRS = [Pair(f"source {i % 170}", f"target {i % 190}") for i in range(400)]


def stream(pairs):
    return lambda report, split: iter(pairs)


def read_all(splits):
    report = Report()
    return {name: list(splits.read(name, report)) for name in THREE}, report


def held_out(pairs, apart="pair", val=20, test=30, seed=0):
    return Splits("mine", {"train": stream(pairs)}, apart, val, test, seed)


def shared(parts, key):
    return [
        (one, other)
        for one, other in itertools.combinations(parts, 2)
        if {key(pair) for pair in parts[one]} & {key(pair) for pair in parts[other]}
    ]


@given(pairs=st.lists(st.builds(Pair, st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_groups_against_a_brute_force_closure(pairs):
    parts = split_by_groups(pairs, 0.2, 0.3, seed=1)
    assert Counter(pair for part in parts.values() for pair in part) == Counter(pairs)
    home = {pair: name for name, part in parts.items() for pair in part}
    for one, other in itertools.combinations(pairs, 2):
        if one.source == other.source or one.target == other.target:
            assert home[one] == home[other]
    assert len(parts["val"]) <= round(0.2 * len(pairs))
    assert len(parts["test"]) <= round(0.3 * len(pairs))


def test_groups_fill_the_sizes_exactly_where_single_pairs_are_left_and_keep_the_order():
    pairs = [Pair(f"s{i}", f"t{i // 2}") for i in range(20)] + [Pair(f"S{i}", f"T{i}") for i in range(80)]
    parts = split_by_groups(pairs, 15, 11, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 74, "val": 15, "test": 11}
    place = {pair: index for index, pair in enumerate(pairs)}
    assert all([place[pair] for pair in part] == sorted(place[pair] for pair in part) for part in parts.values())


def test_groups_depend_on_the_seed_but_not_on_the_direction():
    pairs = [Pair(f"s{i}", f"t{i // 3}") for i in range(300)]
    flipped = [Pair(pair.target, pair.source) for pair in pairs]
    one, same, other = (split_by_groups(pairs, 20, 20, seed) for seed in (1, 1, 2))
    back = split_by_groups(flipped, 20, 20, 1)
    assert one == same
    assert one != other
    assert {name: [Pair(pair.target, pair.source) for pair in part] for name, part in back.items()} == one


@pytest.mark.parametrize(("apart", "keys"), [("pair", [tuple]), ("sentence", [lambda p: p.source, lambda p: p.target])])
def test_held_out_parts_share_nothing(apart, keys):
    pairs = [Pair(f"source {i % 300}", f"target {i // 2 % 250}") for i in range(1000)]
    parts, report = read_all(held_out(pairs, apart))
    for key in keys:
        assert shared(parts, key) == []
    assert len(parts["test"]) == 30
    assert len(parts["val"]) == 20 if apart == "pair" else 10 < len(parts["val"]) <= 20
    assert sum(map(len, parts.values())) + report.total("train") == len(pairs)


def test_a_repeated_pair_is_held_out_once_and_its_repetitions_are_counted():
    pairs = [Pair(f"s{i % 10}", f"t{i % 10}") for i in range(30)]
    parts, report = read_all(held_out(pairs, val=3, test=3))
    assert len(set(parts["val"])) == len(parts["val"]) == 3
    assert len(set(parts["test"])) == len(parts["test"]) == 3
    assert Counter(parts["train"]) == Counter(dict.fromkeys(set(pairs) - set(parts["val"]) - set(parts["test"]), 3))
    assert report.skipped["train"] == {"pair also in test": 6, "pair also in val": 6}


def test_the_draw_is_by_seed_and_for_both_directions():
    flipped = [Pair(pair.target, pair.source) for pair in PAIRS]
    test = set(held_out(PAIRS).read("test", Report()))
    assert test == set(held_out(PAIRS).read("test", Report()))
    assert test == {Pair(pair.target, pair.source) for pair in held_out(flipped).read("test", Report())}
    assert test != set(held_out(PAIRS, seed=1).read("test", Report()))


def test_a_share_is_of_the_training_stream():
    parts, _ = read_all(held_out([Pair(f"s{i}", f"t{i}") for i in range(200)], val=0.1, test=0.25))
    assert {name: len(part) for name, part in parts.items()} == {"train": 130, "val": 20, "test": 50}


def test_given_parts_win_over_train_and_test_wins_over_val():
    a, b, c, d, e = (Pair(f"s{i}", f"t{i}") for i in range(5))
    near = Pair("s1", "another translation of s1")
    streams = {"train": stream([a, b, c, d, near, e]), "val": stream([b, c]), "test": stream([c, c, d])}
    parts, report = read_all(Splits("mine", streams, "pair"))
    assert parts == {"train": [a, near, e], "val": [b], "test": [c, c, d]}
    assert report.skipped["train"] == {"pair also in val": 1, "pair also in test": 2}
    assert report.lines()[0] == "train: 1 skipped: pair also in val (first: pair 2)"
    parts, report = read_all(Splits("mine", streams, "sentence"))
    assert parts["train"] == [a, e]


def test_further_test_splits_are_kept_out_of_train_and_val():
    a, b, c = (Pair(f"s{i}", f"t{i}") for i in range(3))
    streams = {
        "train": stream([a, b, c]),
        "val": stream([b, c]),
        "test": stream([b]),
        "test_more": stream([c]),
    }
    splits = Splits("mine", streams, "pair")
    assert list(splits.read("train", Report())) == [a]
    assert list(splits.read("test_more", Report())) == [c]
    with pytest.raises(DataError, match="split 'val' has no sentence pair: val: 1 skipped: pair also in test"):
        list(splits.read("val", Report()))


def test_val_given_and_test_held_out():
    pairs = [Pair(f"s{i}", f"t{i}") for i in range(50)]
    splits = Splits("mine", {"train": stream(pairs), "val": stream(pairs[:10])}, "pair", 0, 5)
    parts, report = read_all(splits)
    assert {name: len(part) for name, part in parts.items()} == {"train": 35, "val": 10, "test": 5}
    assert shared(parts, tuple) == []
    assert report.skipped["train"] == {"pair also in val": 10}


def test_asking_for_more_than_there_is():
    with pytest.raises(DataError, match="mine: 50 pairs to hold out for test and val, but there are only 2 different"):
        list(held_out([Pair("a", "b"), Pair("c", "d")] * 40).read("train", Report()))


def test_nothing_left_to_train_on():
    with pytest.raises(DataError, match="split 'train' has no sentence pair"):
        list(held_out(PAIRS[:50]).read("train", Report()))


def test_without_a_training_file_only_the_given_split_can_be_read():
    splits = Splits("mine", {"test": stream(PAIRS[:3])}, "pair", 10, 10)
    assert len(list(splits.read("test", Report()))) == 3
    with pytest.raises(DataError, match="no file is named for 'val', nor for 'train'"):
        list(splits.read("val", Report()))


@pytest.mark.parametrize("size", [-1, 1.0, 1.5, -0.1])
def test_sizes_out_of_range(size):
    with pytest.raises(ConfigError, match=f"val_size={size}: expected a number of pairs"):
        held_out(PAIRS, val=size)


def test_sizes():
    assert [count(size, 200, "x") for size in (0, 7, 0.0, 0.1, 0.999)] == [0, 7, 0, 20, 200]


@given(numbers=st.lists(st.integers(0, 50)), number=st.integers(0, 20))
@settings(deadline=None)
def test_lowest_ranked_against_sorting_everything(numbers, number):
    pairs = [Pair(str(n), "") for n in numbers]
    expected = sorted(set(pairs), key=lambda pair: rank(5, pair))[:number]
    assert lowest_ranked(pairs, number, lambda pair: rank(5, pair)) == expected


def test_ranks_are_spread_evenly():
    ranks = [rank(0, Pair(str(i), "x")) / 2**64 for i in range(4000)]
    assert max(abs(sum(r < q / 10 for r in ranks) / 4000 - q / 10) for q in range(1, 10)) < 0.03
