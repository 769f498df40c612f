"""My quantity: its number of a few outputs, by hand, and that it is found by its name."""

import pytest

from attnlab.testing import quantity


def lines(*outputs):
    return [{"reference": "a b c", "hypothesis": output} for output in outputs]


@pytest.mark.parametrize(("outputs", "expected"), [
    (["a b c"], 100.0),
    (["a b", "A b c", "a b c", "a b c ."], 25.0),
    (["", "a"], 0.0),
])  # fmt: skip
def test_its_number(outputs, expected):
    mine = quantity("my_quantity")
    assert mine.score(mine.rows(lines(*outputs))) == pytest.approx(expected)


def test_an_item_that_does_not_say_gives_none():
    assert quantity("my_quantity").rows([{"label": "a", "predicted": "b"}]) is None
