"""Of many cases of one kind some are run every time, the others when all tests are."""

from collections.abc import Iterable
from typing import Any

import pytest


def some_often(cases: Iterable[Any], each: int = 2) -> list[Any]:
    """Every second case, or third, … as it is; the others are ``long``.

    Args:
        cases: as ``pytest.mark.parametrize`` takes them; tuples are several arguments.
        each: of how many neighbours one is run every time.
    """
    rest = {"marks": pytest.mark.long}
    return [
        case if number % each == 0 else pytest.param(*(case if isinstance(case, tuple) else (case,)), **rest)
        for number, case in enumerate(cases)
    ]
