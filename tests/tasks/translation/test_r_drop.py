"""What R-Drop needs of a model."""

import pytest
from torch import nn

from attnlab.tasks.translation.r_drop import check_r_drop
from attnlab.types import ConfigError


def test_it_wants_dropout():
    check_r_drop(0.0, nn.Dropout(0.0))
    check_r_drop(1.0, nn.Dropout(0.1))
    with pytest.raises(ConfigError, match="without dropout both passes are the same"):
        check_r_drop(1.0, nn.Dropout(0.0))
