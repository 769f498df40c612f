"""Errors of forecasts against scikit-learn and scalar loops."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error

from attnlab.errors import DataError
from attnlab.metrics.quantities.coverage_error import COVERAGE_ERROR
from attnlab.metrics.quantities.lag_weight import LAG_WEIGHT
from attnlab.metrics.quantities.mae import MAE
from attnlab.metrics.quantities.mase import MASE
from attnlab.metrics.quantities.pinball import PINBALL
from attnlab.metrics.quantities.rmse import RMSE

LEVELS, SCALE = (0.1, 0.5, 0.9), [2.0, 0.5]


@pytest.fixture(scope="module")
def records():
    draw = np.random.default_rng(1)
    made = []
    for _ in range(6):
        truth, told = draw.normal(size=(2, 4, 2))
        quantiles = {str(level): (told + level - 0.5).tolist() for level in LEVELS}
        made.append({"truth": truth.tolist(), "told": told.tolist(), "quantiles": quantiles, "scale": SCALE})
    return made


def flat(records, key):
    return np.concatenate([np.array(record[key]).ravel() for record in records])


def score(quantity, records):
    return quantity.score(quantity.rows(records))


def test_absolute_and_squared_errors(records):
    truth, told = flat(records, "truth"), flat(records, "told")
    assert score(MAE, records) == pytest.approx(mean_absolute_error(truth, told))
    assert score(RMSE, records) == pytest.approx(root_mean_squared_error(truth, told))
    squares = [np.mean((np.array(r["truth"]) - np.array(r["told"])) ** 2) for r in records]
    np.testing.assert_allclose(RMSE.item_scores(RMSE.rows(records)), np.sqrt(squares))


def test_scaled_errors_have_a_scale_a_target(records):
    found = []
    for record in records:
        for came, said in zip(record["truth"], record["told"], strict=True):
            found += [abs(came[k] - said[k]) / SCALE[k] for k in range(2)]
    assert score(MASE, records) == pytest.approx(sum(found) / len(found))


def test_pinball_loss_is_that_of_scikit_learn(records):
    truth = flat(records, "truth")
    losses = []
    for level in LEVELS:
        said = np.concatenate([np.array(record["quantiles"][str(level)]).ravel() for record in records])
        losses.append(mean_pinball_loss(truth, said, alpha=level))
    assert score(PINBALL, records) == pytest.approx(np.mean(losses))


def test_coverage_in_a_loop(records):
    inside = [
        low[k] <= came[k] <= high[k]
        for record in records
        for came, low, high in zip(record["truth"], record["quantiles"]["0.1"], record["quantiles"]["0.9"], strict=True)
        for k in range(2)
    ]
    assert score(COVERAGE_ERROR, records) == pytest.approx(abs(np.mean(inside) - 0.8))


def test_what_a_record_does_not_say_is_not_counted(records):
    bare = {"truth": [[1.0]], "told": [[2.0]]}
    assert MASE.count(bare) is PINBALL.count(bare) is COVERAGE_ERROR.count(bare) is LAG_WEIGHT.count(bare) is None
    assert MAE.count({}) is None
    assert LAG_WEIGHT.count({"lag_weight": 0.25}) == (0.25, 1.0)


@pytest.mark.parametrize(
    ("quantity", "change", "told"),
    [
        (MAE, {"told": [[1.0, 2.0]]}, "truth is"),
        (MAE, {"told": "x"}, "told: what items contribute is no table"),
        (MASE, {"scale": [1.0]}, "expected a number above 0 for each of 2 targets"),
        (PINBALL, {"quantiles": {"2": [[1.0, 2.0]]}}, "expected levels between 0 and 1"),
        (PINBALL, {"quantiles": [1.0]}, "expected a table of numbers by level"),
    ],
)
def test_what_cannot_be_is_told(records, quantity, change, told):
    with pytest.raises(DataError) as caught:
        quantity.count(records[0] | change)
    assert told in str(caught.value)
