"""Unknown words are replaced by the source word with the highest weight."""

import numpy as np
import pytest
import torch

from attnlab.search.unknown import attended
from attnlab.types import UNK, ConfigError, DataError

WEIGHTS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.0, 0.1, 0.9]]


@pytest.mark.parametrize("kind", [torch.tensor, np.array])
@pytest.mark.parametrize("rows", [3, 4])
def test_finds_the_word_attended_to_most(kind, rows):
    assert attended([UNK, 9, UNK], kind(WEIGHTS[:rows]), 3) == [0, 2]


def test_leaves_a_known_translation_alone():
    assert attended([7, 8, 9], np.array(WEIGHTS), 3) == []
    assert attended([], torch.zeros(1, 3), 3) == []


def test_needs_weights():
    with pytest.raises(ConfigError, match="replace_unknown=true needs attention weights"):
        attended([UNK], None, 3)


@pytest.mark.parametrize("shape", [(1, 3), (4, 3), (2, 2), (2,)])
def test_refuses_weights_of_another_shape(shape):
    with pytest.raises(DataError, match=r"expected 2 or 3 rows .* 3 columns"):
        attended([8, 9], np.zeros(shape), 3)
