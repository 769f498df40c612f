"""What a task keeps of an item is held against what counts it, where the first items are validated."""

from typing import NamedTuple

import pytest

from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Summed
from attnlab.tasks.records import counts_of


class Errors(Summed):
    def count(self, record):
        return [abs(record["target"] - record["predicted"]), 1.0]

    def close(self, sums):
        return sums[..., 0] / sums[..., 1]


ERRORS = Errors(name="errors", title="errors", better="lower")


class Item(NamedTuple):
    fields: dict

    def line(self):
        return self.fields

    def map(self, number):
        return None


def test_an_item_is_counted():
    assert counts_of(Item({"target": 3, "predicted": 1.5}), [ERRORS], ["target"]) == {"errors": [1.5, 1.0]}


def test_what_a_quantity_lacks_is_told_with_what_there_is():
    with pytest.raises(ConfigError, match=r"Item.line\(\) has no 'predicted', which errors counts; it has x, target"):
        counts_of(Item({"x": "a", "target": 3}), [ERRORS], ["x"])


@pytest.mark.parametrize(("fields", "came"), [({"x": [1.0]}, "a list"), ({"x": None}, "a NoneType"), ({}, "nothing")])
def test_what_cannot_be_shown_is_told(fields, came):
    with pytest.raises(ConfigError, match=rf"Item.line\(\): x is {came}, expected text or a number"):
        counts_of(Item(fields), [], ["x"])
