"""Pearson, Spearman and the mean squared error against scipy and numpy."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from attnlab.errors import DataError
from attnlab.metrics.quantities.mse import MSE
from attnlab.metrics.quantities.pearson import PEARSON
from attnlab.metrics.quantities.spearman import SPEARMAN


def lines(predicted, scores):
    return [{"predicted": float(p), "score": float(s)} for p, s in zip(predicted, scores, strict=True)]


@pytest.fixture
def items():
    draw = np.random.default_rng(3)
    scores = np.round(draw.uniform(1, 5, 60), 1)  # with ties
    return np.round(scores + draw.normal(size=60), 1), scores


def test_they_are_what_scipy_says(items):
    records = lines(*items)
    assert PEARSON.score(PEARSON.rows(records)) == pytest.approx(pearsonr(*items)[0], abs=1e-12)
    assert SPEARMAN.score(SPEARMAN.rows(records)) == pytest.approx(spearmanr(*items)[0], abs=1e-12)
    assert MSE.score(MSE.rows(records)) == pytest.approx(np.mean((items[0] - items[1]) ** 2))


def test_resamples_are_of_the_items_themselves(items):
    records, drawn = lines(*items), np.random.default_rng(1).integers(60, size=(5, 60))
    for quantity, theirs in ((PEARSON, pearsonr), (SPEARMAN, spearmanr)):
        rows = quantity.rows(records)
        found = quantity.scores([rows], drawn)[:, 0]
        expected = [theirs(items[0][numbers], items[1][numbers])[0] for numbers in drawn]
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert np.isnan(quantity.item_scores(rows)).all()


def test_outputs_are_exchanged(items):
    scores, other = items[1], items[0][::-1]
    a, b = (PEARSON.rows(lines(predicted, scores)) for predicted in (items[0], other))
    swapped = np.random.default_rng(1).random((4, 60)) < 0.5
    found = PEARSON.exchanged(a, b, swapped)
    for row, mask in enumerate(swapped):
        assert found[0][row] == pytest.approx(pearsonr(np.where(mask, other, items[0]), scores)[0])
        assert found[1][row] == pytest.approx(pearsonr(np.where(mask, items[0], other), scores)[0])


@pytest.mark.parametrize("quantity", [PEARSON, SPEARMAN])
def test_a_constant_correlates_with_nothing(quantity):
    assert quantity.score(quantity.rows(lines([3.3] * 9, range(9)))) == 0


def test_what_is_no_number_is_told():
    with pytest.raises(DataError, match="expected 2 numbers"):
        PEARSON.count({"predicted": "entailment", "score": 3.0})
    assert MSE.count({"score": 3.0}) is None
