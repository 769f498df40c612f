"""My mechanism: what every mechanism holds, and its equation, number by number."""

import pytest
import torch

from attnlab.testing import attention, configured


def build(**sizes):
    return configured("attention=my_mechanism")(**sizes)


@pytest.mark.parametrize("check", attention.CHECKS)
def test_contract(check):
    check(build)


def attend(weights, query, states, summary):
    """Weights and context of one query, by loops: e_ts = h_t^T W_a h_s / sqrt(Q)."""
    W = weights["score.W_a.weight"]
    exps = []
    for h in states:
        score = 0.0
        for i in range(W.size(0)):
            for j in range(W.size(1)):
                score = score + query[i] * W[i, j] * h[j]
        exps.append(torch.exp(score / len(query) ** 0.5))
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))


def test_agrees_with_a_loop_over_numbers():
    attention.agrees(build, attend=attend)
