"""The fused cells against the plain equations and against torch's own cells."""

import pytest
import torch
from kernel_references import gru_cell_reference, lstm_cell_reference
from torch import nn

from attnlab.kernels.cells import gru_cell, lstm_cell


def doubles(*shapes):
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize(
    ("fast", "slow", "shapes"),
    [
        (lstm_cell, lstm_cell_reference, [(5, 12), (5, 3)]),
        (gru_cell, gru_cell_reference, [(5, 9), (5, 9), (5, 3)]),
    ],
)
def test_value_and_gradients_equal_the_plain_equations(fast, slow, shapes):
    inputs = doubles(*shapes)
    results = []
    for cell in (fast, slow):
        outputs = cell(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = sum((output * (i + 1)).sin().sum() for i, output in enumerate(outputs))
        results.append((outputs, torch.autograd.grad(loss, inputs)))
    torch.testing.assert_close(results[0], results[1], atol=1e-12, rtol=1e-12)
    assert torch.autograd.gradcheck(fast, inputs)


def test_lstm_equals_torch():
    cell, x, h, c = nn.LSTMCell(4, 3).double(), *doubles((5, 4), (5, 3), (5, 3))
    gates = x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
    torch.testing.assert_close(lstm_cell(gates, c), cell(x, (h, c)))


def test_gru_equals_torch():
    cell, x, h = nn.GRUCell(4, 3).double(), *doubles((5, 4), (5, 3))
    got = gru_cell(x @ cell.weight_ih.T + cell.bias_ih, h @ cell.weight_hh.T + cell.bias_hh, h)
    torch.testing.assert_close(got, cell(x, h))
