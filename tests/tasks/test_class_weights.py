"""What a text of each class counts: scikit-learn's weights, of mean 1 over the texts."""

import numpy as np
import pytest

from attnlab.errors import ConfigError
from attnlab.tasks.classification.class_weights import check_class_weights, class_weights

COUNTS = np.array([60, 30, 10])


def test_balanced_is_one_over_frequency():
    found = class_weights("balanced", ["a", "b", "c"], COUNTS)
    np.testing.assert_allclose(found, 100 / (3 * COUNTS))  # scikit-learn's: N / (C n_c)
    assert (found * COUNTS).sum() == pytest.approx(100)


def test_named_weights_keep_the_mean():
    found = class_weights({"c": 4.0}, ["a", "b", "c"], COUNTS)
    np.testing.assert_allclose(found / found[0], [1, 1, 4])
    assert (found * COUNTS).sum() == pytest.approx(100)


def test_none_and_classes_that_training_lacks():
    assert class_weights(None, ["a"], COUNTS[:1]) is None
    found = class_weights("balanced", ["a", "b", "c"], np.array([5, 5, 0]))
    np.testing.assert_allclose(found, [1, 1, 0])


@pytest.mark.parametrize("asked", ["often", {"a": 0}, {"a": "x"}, 3, ["a"]])
def test_what_can_be_no_weights(asked):
    with pytest.raises(ConfigError, match=r"task.class_weights"):
        check_class_weights(asked)
