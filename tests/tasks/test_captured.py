"""A task says which passes are captured; the base trains by them."""

from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from attnlab.data.base import TaskData
from attnlab.models.graphs import Graphs, Passes
from attnlab.tasks.base import Task
from attnlab.tasks.objective import Summed
from attnlab.tasks.schedules import Schedule


class Given(NamedTuple):
    features: Tensor
    wanted: Tensor


class Found(NamedTuple):
    value: Tensor


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, batch: Given) -> Found:
        return Found(self.linear(batch.features)[:, 0])


class Regression(Task[Any]):
    quantities = ()

    def loss(self, batch: Given) -> Summed:
        errors = self.training_pass(batch).value - batch.wanted
        return Summed(errors.square().sum(), len(errors))

    def records(self, split: str, batch: Given) -> dict[int, Any]:
        return {}


class Captured(Regression):
    def captured(self) -> Passes:
        return Passes(self.model, lambda batch: (batch.features,), ("value",), ("value",))


class Repeats:
    """Does the work again where CUDA would replay it."""

    recorded = 0

    def __call__(self, work):
        self.recorded += 1
        again = torch.enable_grad()(work)
        again()
        return again

    def warm(self, work):
        work()


def task(kind: type[Regression], **settings: Any) -> Regression:
    torch.manual_seed(1)
    return kind(Line(), Mock(spec=TaskData), torch.optim.SGD, Mock(spec=Schedule), **settings)  # only the model is used


def test_a_loss_by_graphs_is_the_loss_without():
    plain, graphed = task(Regression), task(Captured)
    assert isinstance(graphed.training_pass, Graphs)
    graphed.training_pass.recorder = recorder = Repeats()
    for number in range(3):
        batch = Given(torch.randn(4, 3), torch.randn(4) + number)
        found = []
        for one in (plain, graphed):
            one.zero_grad()
            one.loss(batch).objective.backward()
            found.append([parameter.grad.clone() for parameter in one.model.parameters()])
        torch.testing.assert_close(found[1], found[0])
    assert recorder.recorded == 2  # forward and backward, of one shape
    assert graphed.state_dict().keys() == plain.state_dict().keys()


@pytest.mark.parametrize(("kind", "settings"), [(Regression, {}), (Captured, {"cuda_graphs": False})])
def test_nothing_is_captured_unasked(kind, settings):
    assert not isinstance(task(kind, **settings).training_pass, Graphs)
