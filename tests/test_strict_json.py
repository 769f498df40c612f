"""Valid JSON for every number."""

import json
import math
from typing import NamedTuple

import pytest

from attnlab.strict_json import dumps


class Point(NamedTuple):
    x: float
    y: float


def test_what_json_has_not_is_null_at_any_depth() -> None:
    value = {"a": math.nan, "b": [1, -math.inf, {"c": (math.inf, True, None, "ü")}], "d": Point(2.5, math.nan)}
    text = dumps(value)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None,
        "b": [1, None, {"c": [None, True, None, "ü"]}],
        "d": [2.5, None],
    }
    assert "ü" in text
