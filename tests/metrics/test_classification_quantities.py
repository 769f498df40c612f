"""Accuracy, macro F1, log loss and calibration of any resample are those of torchmetrics."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_f1_score,
)

from attnlab.errors import DataError
from attnlab.metrics.quantities.accuracy import ACCURACY
from attnlab.metrics.quantities.calibration_error import CALIBRATION_ERROR
from attnlab.metrics.quantities.macro_f1 import MACRO_F1
from attnlab.metrics.quantities.nll import NLL


def records(classes, items, seed=0):
    draw = torch.Generator().manual_seed(seed)
    probabilities = (2 * torch.randn(items, classes, generator=draw, dtype=torch.float64)).softmax(1)
    labels = torch.randint(classes, (items,), generator=draw)
    names = [f"class {number}" for number in range(classes)]
    lines = [
        {
            "label": names[label],
            "predicted": names[int(row.argmax())],
            "probabilities": dict(zip(names, row.tolist(), strict=True)),
            "loss": -math.log(row[label]),
        }
        for row, label in zip(probabilities, labels.tolist(), strict=True)
    ]
    return lines, probabilities, labels


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("items", [1, 3, 400])
def test_they_are_those_of_torchmetrics(classes, items):
    lines, probabilities, labels = records(classes, items)
    draw = np.random.default_rng(1)
    for chosen in (np.arange(items), *draw.integers(items, size=(5, items))):
        seen, right = probabilities[chosen], labels[chosen]
        found = {quantity.name: quantity.score(quantity.rows([lines[n] for n in chosen]))
                 for quantity in (ACCURACY, MACRO_F1, NLL, CALIBRATION_ERROR)}  # fmt: skip
        assert found["accuracy"] == pytest.approx(float(multiclass_accuracy(seen, right, classes, average="micro")))
        assert found["macro_f1"] == pytest.approx(float(multiclass_f1_score(seen, right, classes, average="macro")))
        assert found["nll"] == pytest.approx(float(torch.nn.functional.nll_loss(seen.log(), right)))
        theirs = multiclass_calibration_error(seen, right, classes, n_bins=15, norm="l1")
        assert found["calibration_error"] == pytest.approx(float(theirs), abs=1e-6)


def test_directions():
    assert [quantity.better for quantity in (ACCURACY, MACRO_F1, NLL, CALIBRATION_ERROR)] == [
        "higher",
        "higher",
        "lower",
        "lower",
    ]


def test_certainty_falls_into_the_last_bin():
    sure = {"label": "a", "predicted": "a", "probabilities": {"a": 1.0, "b": 0.0}}
    assert CALIBRATION_ERROR.score(CALIBRATION_ERROR.rows([sure])) == 0
    assert CALIBRATION_ERROR.score(CALIBRATION_ERROR.rows([{**sure, "label": "b"}])) == 1


@pytest.mark.parametrize("quantity", [ACCURACY, MACRO_F1, CALIBRATION_ERROR], ids=lambda quantity: quantity.name)
def test_what_a_record_does_not_say(quantity):
    assert quantity.rows([{"source": "a", "hypothesis": "b"}]) is None
    with pytest.raises(DataError, match="line 1: label and predicted are 3"):
        quantity.rows([{"label": 3, "predicted": ["a"], "probabilities": {"a": 1.0}}])


@pytest.mark.parametrize("probabilities", [[0.5], {}, {"a": "x"}, {"a": 1.5}, {"a": math.nan}, {"a": True}])
def test_probabilities_that_are_none(probabilities):
    with pytest.raises(DataError, match="expected a number from 0 to 1 for every class"):
        CALIBRATION_ERROR.rows([{"label": "a", "predicted": "a", "probabilities": probabilities}])
    with pytest.raises(DataError, match="macro F1: label 'c'"):
        MACRO_F1.rows([{"label": "c", "predicted": "a", "probabilities": {"a": 0.5, "b": 0.5}}])
