"""Scores of alignments, with intervals and a test."""

import numpy as np
import pytest

from attnlab.metrics.word_alignment.scoring import Gold, counts, paired_test, score


def links(text):
    return frozenset(tuple(map(int, link.split("-"))) for link in text.split())


# Three pairs; the numbers are counted by hand.
FOUND = [links("0-0 1-1"), links("0-0 1-2 2-2"), links("")]
GOLD = [
    Gold(links("0-0"), links("0-0 1-1")),
    Gold(links("0-0 1-1"), links("0-0 1-1 2-2")),
    Gold(links("3-3"), links("3-3")),
]


def test_by_hand():
    rows = counts(FOUND, GOLD)
    assert rows.tolist() == [[1, 2, 2, 1], [1, 2, 3, 2], [0, 0, 0, 1]]
    found = score(rows)
    assert found.aer.value == pytest.approx(1 - (2 + 4) / (5 + 4))
    assert (found.precision.value, found.recall.value, found.links) == (4 / 5, 2 / 4, 5)
    assert found.f1.value == pytest.approx(2 * 0.8 * 0.5 / 1.3)
    assert found.aer.low <= found.aer.value <= found.aer.high


def test_where_all_gold_links_are_sure_aer_is_one_minus_f1():
    sure = [Gold(gold.sure, gold.sure) for gold in GOLD]
    found = score(counts(FOUND, sure))
    assert found.aer.value == pytest.approx(1 - found.f1.value)


def test_the_interval_is_that_of_an_independent_bootstrap():
    draw = np.random.default_rng(7)
    rows = np.stack([(hits := draw.integers(0, 6, 200)), hits, np.full(200, 6), np.full(200, 6)], 1).astype(float)
    found = score(rows).aer
    sums = np.array([rows[draw.integers(200, size=200)].sum(0) for _ in range(3000)])
    expected = np.quantile(1 - (sums[:, 0] + sums[:, 1]) / (sums[:, 2] + sums[:, 3]), [0.025, 0.975])
    assert [found.low, found.high] == pytest.approx(expected.tolist(), abs=0.004)


def test_the_test_finds_a_difference_and_none():
    draw = np.random.default_rng(1)
    hits = draw.integers(1, 6, 60)
    a = np.stack([hits, hits, np.full(60, 6), np.full(60, 6)], 1).astype(float)
    worse = a - [1, 1, 0, 0]
    assert paired_test(a, a) == 1.0
    assert paired_test(a, worse) < 0.001
    swapped = np.where(draw.random(60)[:, None] < 0.5, a, worse)
    other = np.where((swapped == a).all(1)[:, None], worse, a)
    assert paired_test(swapped, other) > 0.05
