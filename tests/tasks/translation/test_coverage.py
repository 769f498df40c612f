"""The coverage loss of See et al. 2017 against loops, closed forms and the refusals."""

import pytest
import torch

from attnlab.tasks.translation.coverage import coverage_loss
from attnlab.tasks.translation.weights_losses import check_weights_loss
from attnlab.types import ConfigError

LENGTHS = [5, 2]


@pytest.fixture
def mask():
    return torch.arange(5) < torch.tensor(LENGTHS)[:, None]


def test_equals_loops_over_numbers(mask):
    weights = torch.rand(2, 5, 4, dtype=torch.float64).softmax(-1).requires_grad_()
    expected = 0.0
    for row, length in enumerate(LENGTHS):
        seen = [0.0] * 4
        for t in range(length):
            for j in range(4):
                a = weights[row, t, j]
                expected = expected + (a if a < seen[j] else seen[j])
            seen = [total + a for total, a in zip(seen, weights[row, t], strict=True)]
    got = coverage_loss(weights, mask)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(torch.autograd.grad(got, weights), torch.autograd.grad(expected, weights))


def test_looking_once_costs_nothing_and_staring_costs_one_a_step(mask):
    once = torch.eye(5).expand(2, 5, 5)
    assert coverage_loss(once, mask).item() == 0
    stare = torch.zeros(2, 5, 4)
    stare[..., 2] = 1
    assert coverage_loss(stare, mask).item() == (5 - 1) + (2 - 1)


def test_what_cannot_be_weighed_is_refused():
    check_weights_loss("coverage_loss", 0.0, has_weights=False)
    check_weights_loss("coverage_loss", 1.0, has_weights=True)
    with pytest.raises(ConfigError, match=r"draws no alignment.*attention=coverage"):
        check_weights_loss("coverage_loss", 1.0, has_weights=False)
    with pytest.raises(ConfigError, match="or above"):
        check_weights_loss("coverage_loss", -1.0, has_weights=True)
