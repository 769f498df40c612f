"""Unknown words are replaced by the source word with the highest weight."""

import numpy as np
import pytest
import torch

from attnlab.search.unknown import replace_unknown
from attnlab.types import ConfigError, DataError

SOURCE = ["Anna", "visits", "Quedlinburg"]
WEIGHTS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.0, 0.1, 0.9]]


@pytest.mark.parametrize("kind", [torch.tensor, np.array])
@pytest.mark.parametrize("rows", [3, 4])
def test_copies_the_word_attended_to_most(kind, rows):
    weights = kind(WEIGHTS[:rows])
    found = replace_unknown(["<unk>", "besucht", "<unk>"], weights, SOURCE, "<unk>")
    assert found == ["Anna", "besucht", "Quedlinburg"]


def test_leaves_a_known_translation_alone():
    assert replace_unknown(["Anna", "besucht", "es"], np.array(WEIGHTS), SOURCE, "<unk>") == [
        "Anna",
        "besucht",
        "es",
    ]
    assert replace_unknown([], torch.zeros(1, 3), SOURCE, "<unk>") == []


def test_needs_weights():
    with pytest.raises(ConfigError, match="replace_unknown=true needs attention weights"):
        replace_unknown(["<unk>"], None, SOURCE, "<unk>")


@pytest.mark.parametrize("shape", [(1, 3), (4, 3), (2, 2), (2,)])
def test_refuses_weights_of_another_shape(shape):
    with pytest.raises(DataError, match=r"expected 2 or 3 rows .* 3 columns"):
        replace_unknown(["a", "b"], np.zeros(shape), SOURCE, "<unk>")
