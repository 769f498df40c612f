"""R-Drop against loops over numbers, and what it needs."""

import pytest
import torch
from torch import nn

from attnlab.tasks.translation.r_drop import check_r_drop, two_passes
from attnlab.types import ConfigError


def test_it_equals_loops_over_numbers():
    first, second = (torch.randn(3, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    gold, smoothing = torch.tensor([4, 0, 2]), 0.1
    losses, divergence = [0.0, 0.0], 0.0
    for row in range(3):
        p, q = first[row].softmax(0), second[row].softmax(0)
        for place, each in enumerate((p, q)):
            losses[place] = losses[place] - (1 - smoothing) * each[gold[row]].log()
            losses[place] = losses[place] - sum(each[word].log() for word in range(5)) * smoothing / 5
        for word in range(5):
            divergence = divergence + p[word] * (p[word] / q[word]).log() + q[word] * (q[word] / p[word]).log()
    found = two_passes(first, second, gold, smoothing)
    torch.testing.assert_close(found.cross_entropy, (losses[0] + losses[1]) / 2)
    torch.testing.assert_close(found.divergence, divergence / 2)
    expected = torch.autograd.grad(divergence / 2 + (losses[0] + losses[1]) / 2, [first, second])
    got = torch.autograd.grad(found.divergence + found.cross_entropy, [first, second])
    torch.testing.assert_close(got, expected)


def test_two_equal_passes_are_one():
    logits, gold = torch.randn(4, 6), torch.tensor([1, 2, 3, 0])
    found = two_passes(logits, logits, gold, 0.0)
    torch.testing.assert_close(found.cross_entropy, nn.functional.cross_entropy(logits, gold, reduction="sum"))
    assert found.divergence.item() == 0


def test_it_wants_dropout():
    check_r_drop(0.0, nn.Dropout(0.0))
    check_r_drop(1.0, nn.Dropout(0.1))
    with pytest.raises(ConfigError, match="without dropout both passes are the same"):
        check_r_drop(1.0, nn.Dropout(0.0))
