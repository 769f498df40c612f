"""A rating scale against the sparse target distribution of Tai et al. 2015, section 4.2."""

import math

import pytest
import torch

from attnlab.data.pairs.scale import RatingScale
from attnlab.errors import DataError

SICK = RatingScale(1, 5, 5)


@pytest.mark.parametrize("score", [1.0, 1.3, 2.0, 3.7, 4.999, 5.0])
def test_the_points_next_to_a_score_share_it(score):
    """p_i = y - floor(y) for i = floor(y) + 1, floor(y) - y + 1 for i = floor(y), 0 elsewhere."""
    expected = [0.0] * 5
    low = math.floor(score)
    expected[low - 1] = low - score + 1
    if low < 5:
        expected[low] = score - low
    found = SICK.shares(torch.tensor([score], dtype=torch.float64))[0]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    assert found @ SICK.grid(found) == pytest.approx(score)


def test_what_lies_beyond_counts_as_the_end():
    assert SICK.shares(torch.tensor([0.2, 9.0])).tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_the_expected_score():
    logits = torch.tensor([[0.0, 1.0, -1.0]])
    p = [math.exp(v) / (1 + math.exp(1) + math.exp(-1)) for v in (0.0, 1.0, -1.0)]
    assert float(RatingScale(0, 10, 3).expected(logits)) == pytest.approx(5 * p[1] + 10 * p[2])


def test_it_is_found_from_scores():
    assert RatingScale.of([1.0, 4.7, 2.2], "mine") == (1, 5, 5)
    assert RatingScale.of([0.1, 0.9], "mine") == (0, 1, 2)
    assert RatingScale.of([0.0, 100.0], "mine") == (0, 100, 11)
    with pytest.raises(DataError, match=r"all training pairs have the score 3\.0"):
        RatingScale.of([3.0, 3.0], "mine")


def test_a_damaged_file_is_told(tmp_path):
    SICK.save(tmp_path / "scale.json")
    assert RatingScale.load(tmp_path / "scale.json") == SICK
    for text in ("{}", "[1]", '{"lowest": 5, "highest": 1, "points": 5}', "x"):
        (tmp_path / "scale.json").write_text(text, "utf-8")
        with pytest.raises(DataError, match="no rating scale of a run"):
            RatingScale.load(tmp_path / "scale.json")
