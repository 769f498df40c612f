"""Links read off weights."""

import itertools

import numpy as np
import pytest

from attnlab.errors import DataError
from attnlab.metrics.word_alignment.extraction import argmax, method, of_words, one_to_one, threshold

TABLE = np.array([[0.7, 0.3, 0.0], [0.6, 0.1, 0.3], [0.0, 0.0, 0.0]])


def test_each_target_word_to_what_it_looks_at_most():
    assert argmax(TABLE) == {(0, 0), (0, 1)}


def test_every_heavy_pair():
    assert threshold(TABLE, 0.3) == {(0, 0), (1, 0), (0, 1), (2, 1)}
    assert method("threshold", 0.65)(TABLE) == {(0, 0)}


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (3, 3), (1, 1)])
def test_no_two_links_share_a_word_and_their_weights_sum_to_most(shape):
    table = np.random.default_rng(sum(shape)).random(shape)
    found = one_to_one(table)
    words, columns = min(shape), range(shape[1])
    if shape[0] <= shape[1]:
        best = max(sum(table[j, i] for j, i in enumerate(chosen)) for chosen in itertools.permutations(columns, words))
    else:
        rows = itertools.permutations(range(shape[0]), words)
        best = max(sum(table[j, i] for i, j in enumerate(chosen)) for chosen in rows)
    assert sum(table[j, i] for i, j in found) == pytest.approx(best)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)


def test_no_weight_is_no_link():
    assert one_to_one(TABLE) == {(0, 0), (2, 1)}
    assert argmax(np.zeros((2, 3))) == one_to_one(np.zeros((2, 3))) == set()


def test_the_step_that_has_read_the_word_is_the_next_one():
    spans = [(0, 1), (2, 3)]
    weights = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])  # a, b, the end
    assert of_words(weights, (spans, spans), (spans, spans)).tolist() == weights[:2].tolist()
    assert of_words(weights, (spans, spans), (spans, spans), shifted=True).tolist() == weights[1:].tolist()
    with pytest.raises(DataError, match="shift=true"):
        of_words(weights[:2], (spans, spans), (spans, spans), shifted=True)


def test_a_planted_shift_is_undone():
    """Weights that are one step late say nothing of the words, and all of them when the shift is taken."""
    words = 5
    spans = [(2 * n, 2 * n + 1) for n in range(words)]
    late = np.vstack([np.full((1, words), 1 / words), np.eye(words)])
    right = {(n, n) for n in range(words)}
    assert argmax(of_words(late, (spans, spans), (spans, spans), shifted=True)) == right
    assert argmax(of_words(late, (spans, spans), (spans, spans))) & right == {(0, 0)}  # of a row that says nothing
