"""My encoder: what every encoder holds, and its equation, number by number."""

import pytest
import torch

from attnlab.testing import configured, encoder


def build(**sizes):
    return configured("encoder=my_encoder")(**sizes)


@pytest.mark.parametrize("check", encoder.CHECKS)
def test_contract(check):
    check(build)


def test_agrees_with_a_loop_over_numbers():
    made, words, mask = encoder.make(build), encoder.sentences(), encoder.MASK
    W, b = made.project.weight, made.project.bias
    found = made(words, mask).states
    for row, length in enumerate(encoder.LENGTHS):
        for j in range(length):
            window = []
            for place in (j - 1, j, j + 1):
                window += list(words[row, place]) if 0 <= place < length else [0.0] * words.size(-1)
            for i in range(W.size(0)):
                expected = torch.tanh(sum(W[i, k] * window[k] for k in range(len(window))) + b[i])
                torch.testing.assert_close(found[row, j, i], expected, atol=1e-12, rtol=0)
