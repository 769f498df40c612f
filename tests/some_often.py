"""Of many cases of one kind some are run every time, the others when all tests are."""

from collections.abc import Iterable
from typing import Any

import pytest


def some_often(cases: Iterable[Any], each: int = 2) -> list[Any]:
    """Every second case, or third, … as it is; the others are ``long``.

    Args:
        cases: plain values, or tuples of the values of several arguments; ids are pytest's.
        each: of how many neighbours one is run every time.
    """
    several = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=[pytest.mark.long] * (number % each > 0)) for number, case in enumerate(several)]
