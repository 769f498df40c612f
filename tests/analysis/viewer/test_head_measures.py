"""What heads do, against closed forms and scipy."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as scipy_entropy

from attnlab.analysis.viewer.collected import Look
from attnlab.analysis.viewer.heads import FEWEST, Heads, divergence, entropy

WORDS = ["a", "b", "c", "d", "e", "f"]


def square(*heads, words=WORDS):
    return Look(np.stack([np.asarray(head, float) for head in heads])[None], words, words)


def counted(look, same=True, times=FEWEST):
    heads = Heads(same)
    for _ in range(times):
        heads.add(look)
    return heads


def test_a_head_is_named_by_what_it_does():
    eye, n = np.eye(6), 6
    before, behind = np.eye(n, k=-1), np.eye(n, k=1)
    before[0, 3] = behind[-1, 3] = 1
    one_place = np.zeros((n, n))
    one_place[:, 2] = 1
    ends = np.zeros((n, n))
    ends[:, 0] = ends[:, -1] = 0.35
    ends[:, 3] = 0.3
    uniform = np.full((n, n), 1 / n)
    uniform[np.arange(n), [3, 4, 1, 0, 2, 5]] += 1e-3  # no place twice, none before, behind or at the row's own
    names = counted(square(before, behind, eye, one_place, ends, uniform)).names()
    assert names == [["previous", "next", "diagonal", "position", "sink", ""]]


def test_induction_looks_behind_an_earlier_same_word():
    words = ["the", "cat", "sees", "the", "cat", "sees"]
    weights = np.eye(6)
    for row in (3, 4, 5):
        weights[row] = 0
        weights[row, row - 2] = 1  # "the" looks at what came after the first "the"
    heads = counted(square(weights, np.eye(6), words=words))
    assert heads.shares["induction"].tolist() == [[1.0, 0.0]]
    assert "induction" not in counted(square(np.eye(6))).shares  # no word twice: no row that it could be said of


def test_the_mean_distance_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(6), (2, 3, 6))
    look = Look(weights, WORDS, WORDS)
    heads = Heads(same=True)
    heads.add(look)
    for layer, head in np.ndindex(2, 3):
        expected = sum(weights[layer, head, t, s] * abs(t - s) for t in range(6) for s in range(6)) / 6
        assert heads.distance[layer, head] == pytest.approx(expected)
    crossed = Heads(same=False)  # three rows over five columns: the diagonal is at 0, 2, 4
    crossed.add(Look(np.eye(5)[[1, 2, 0]][None, None], WORDS[:3], WORDS[:5]))
    assert crossed.distance[0, 0] == pytest.approx((1 + 0 + 4) / 3)


def test_entropy_and_divergence_are_scipys():
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(5), (2, 2, 3, 4))
    assert entropy(p) == pytest.approx(scipy_entropy(p, base=2, axis=-1))
    found = divergence(Look(p, WORDS[:4], WORDS[:5]), Look(q, WORDS[:4], WORDS[:5]))
    assert found == pytest.approx((jensenshannon(p, q, base=2, axis=-1) ** 2).sum(-1))
    assert divergence(Look(p, WORDS[:4], WORDS[:5]), Look(q, WORDS[1:5], WORDS[:5])) is None
    apart = divergence(square(np.eye(6)), square(np.eye(6)[::-1]))
    assert apart == pytest.approx(6.0)  # 1 bit a row
    one = Look(p[:1, :1], WORDS[:4], WORDS[:5])  # a mechanism without heads, against every head
    assert divergence(one, Look(q, WORDS[:4], WORDS[:5])).shape == (2, 3)


def test_a_row_that_looks_nowhere_has_no_entropy():
    assert entropy(np.zeros((2, 3))).tolist() == [0.0, 0.0]
