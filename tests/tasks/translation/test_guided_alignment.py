"""Guided alignment against loops and closed forms."""

import math

import pytest
import torch

from attnlab.metrics.alignment import linked_pieces
from attnlab.tasks.translation.guided_alignment import alignment_loss


def test_the_loss_equals_loops_over_numbers():
    weights = torch.rand(2, 4, 3, dtype=torch.float64).softmax(-1).requires_grad_()
    links = [[(0, 0), (0, 2), (3, 1)], [(1, 1)]]  # (target piece, source piece)
    gold, expected = torch.zeros(2, 4, 3, dtype=torch.float64), 0.0
    for pair, linked in enumerate(links):
        for t in range(4):
            sources = [s for row, s in linked if row == t]
            for s in sources:
                gold[pair, t, s] = 1 / len(sources)
                expected = expected - weights[pair, t, s].log() / len(sources)
    got = alignment_loss(weights, gold)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(torch.autograd.grad(got, weights), torch.autograd.grad(expected, weights))


def test_a_weight_of_zero_costs_much_and_not_everything():
    weights = torch.tensor([[[1.0, 0.0]]], requires_grad=True)
    got = alignment_loss(weights, torch.tensor([[[0.0, 1.0]]]))
    assert got.item() == pytest.approx(9 * math.log(10), rel=1e-5)
    assert torch.autograd.grad(got, weights)[0].isfinite().all()


def test_pieces_have_the_links_of_the_words_they_cover():
    source, target = [(0, 2), (2, 4), (5, 7)], [(0, 3), (4, 6), (6, 9)]  # abcd ef; abc defgh
    found = linked_pieces([(0, 1)], (source, target), ([(0, 4), (5, 7)], [(0, 3), (4, 9)]))
    assert found.tolist() == [[False, False, False], [True, True, False], [True, True, False]]
