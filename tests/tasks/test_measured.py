"""What a task is told to measure besides is measured, or it is told that it cannot be."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from attnlab.data.base import TaskData
from attnlab.errors import ConfigError
from attnlab.metrics.quantity import Summed
from attnlab.tasks.base import Task
from attnlab.tasks.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Mean(Summed):
    """Of a number that a line may have."""

    def count(self, record: Any) -> tuple[float, float] | None:
        return None if record.get(self.name) is None else (record[self.name], 1.0)

    def close(self, sums: Any) -> Any:
        return sums[..., 0] / sums[..., 1]


OWN, CHEAP, COSTLY = (
    Mean(name=name, title=name, better="lower", costly=name == "costly") for name in ("own", "cheap", "costly")
)


class Line(NamedTuple):
    own: float | None = 1.0
    cheap: float | None = None
    costly: float | None = None

    def line(self) -> dict[str, Any]:
        return self._asdict()

    def map(self, number: int) -> None:
        return None


class Reading(Task[Line]):
    quantities = (OWN,)

    def loss(self, batch: Any) -> Any:
        raise NotImplementedError

    def records(self, split: str, batch: list[Line]) -> dict[int, Line]:
        return dict(enumerate(batch))


def measured(split: str, batch: list[Line], *also: Mean) -> dict[str, float]:
    task = Reading(nn.Linear(1, 1), Mock(spec=TaskData), torch.optim.SGD, Mock(spec=Schedule))
    task.also, task.quantities = also, (OWN, *also)
    task.measure(split, batch)
    return task.measured(split)


def test_what_all_items_have_is_measured():
    assert measured("test", [Line(costly=3.0), Line(costly=5.0)], COSTLY) == {"test/own": 1.0, "test/costly": 4.0}


@pytest.mark.parametrize(("lines", "which"), [([Line(), Line()], "the"), ([Line(cheap=1.0), Line()], "1 of 2")])
def test_a_validation_refuses_what_is_not_there(lines, which):
    with pytest.raises(ConfigError, match=f"measure: cheap finds nothing to count in {which} items of reading"):
        measured("val", lines, CHEAP)


@pytest.mark.parametrize(("lines", "which"), [([Line(), Line()], "the"), ([Line(costly=1.0), Line()], "1 of 2")])
@pytest.mark.parametrize("split", ["test", "test_long"])
def test_a_test_warns_of_it_and_keeps_the_rest(split, lines, which):
    told = f"measure: costly finds nothing to count in {which} items of reading: there is no {split}/costly"
    with pytest.warns(UserWarning, match=told):
        assert measured(split, lines, COSTLY) == {f"{split}/own": 1.0}


def test_what_is_too_costly_for_a_validation_is_not_missed_in_it():
    """Beside one that is counted there, too."""
    assert measured("val", [Line(cheap=2.0)], CHEAP, COSTLY) == {"val/own": 1.0, "val/cheap": 2.0}


def test_what_the_task_itself_measures_may_be_nowhere():
    """Gold alignments are an example: no corpus has to have them."""
    assert measured("test", [Line(own=None)]) == {}
