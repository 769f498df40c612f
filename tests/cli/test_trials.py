"""What makes a trial of a run."""

import pytest

from attnlab.cli.trials import trial


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        ({"max_epochs": 4, "limit_train_batches": None, "limit_test_batches": 1.0}, None),
        ({"overfit_batches": 0.0, "fast_dev_run": False}, None),  # Lightning's defaults
        ({"limit_train_batches": 1}, "limit_train_batches=1"),  # one batch: the whole is 1.0
        ({"limit_train_batches": 0.5, "limit_val_batches": 2}, "limit_train_batches=0.5 limit_val_batches=2"),
        ({"fast_dev_run": True}, "fast_dev_run=true"),
        ({"fast_dev_run": 3}, "fast_dev_run=3"),
        ({"overfit_batches": 1}, "overfit_batches=1"),
    ],
)
def test_fewer_batches_than_there_are(trainer, expected):
    assert trial(trainer) == expected
