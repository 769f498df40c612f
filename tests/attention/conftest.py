"""The presets found in conf/attention, one by one."""

from collections.abc import Callable
from typing import Any

import pytest
from presets_asked import PRESETS, factory


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def build(preset: str) -> Callable[..., Any]:
    """Sizes of query, annotation and summary to a mechanism."""
    return factory(preset)
