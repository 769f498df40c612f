"""My optimizer: its equation, number by number, and that a checkpoint keeps all of it."""

import pytest
import torch

from attnlab.testing import configured

LR, BETA, DECAY = 0.1, 0.8, 0.01
GRADIENTS = [[1.0, -0.5], [-3.0, -0.5], [0.1, 2.0]]


def build(theta):
    return configured("optimizer=my_optimizer", f"optimizer.lr={LR}", f"optimizer.beta={BETA}",
                      f"optimizer.weight_decay={DECAY}")([theta])  # fmt: skip


def train(theta, optimizer, gradients):
    for gradient in gradients:
        theta.grad = torch.tensor(gradient, dtype=theta.dtype)
        optimizer.step()
    return theta.tolist()


def start():
    return torch.nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))


def test_agrees_with_a_loop_over_numbers():
    theta = start()
    expected = theta.tolist()
    for i in range(2):
        m = 0.0
        for gradient in GRADIENTS:
            m = BETA * m + (1 - BETA) * gradient[i]
            expected[i] -= LR * ((m > 0) - (m < 0) + DECAY * expected[i])
    assert train(theta, build(theta), GRADIENTS) == pytest.approx(expected, abs=1e-12)


def test_it_goes_on_as_if_it_had_not_stopped():
    whole, theta = start(), start()
    first = build(theta)
    train(theta, first, GRADIENTS[:1])
    again = build(theta)
    again.load_state_dict(first.state_dict())
    assert train(theta, again, GRADIENTS[1:]) == train(whole, build(whole), GRADIENTS)
