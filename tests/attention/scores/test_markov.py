"""Jumps too unlikely for half precision."""

import torch

from attnlab.attention.scores.markov import Markov
from attnlab.types import History, Memory


def test_a_jump_that_float16_has_no_number_for_is_unlikely_and_not_impossible():
    torch.manual_seed(0)
    score = Markov(query_dim=4, key_dim=4, max_jump=2)
    with torch.no_grad():
        score.b.copy_(torch.tensor([-20.0, -20.0, 0.0, -20.0, -20.0]))  # e^-20 is below 6e-8
    score.half()
    states, mask = torch.randn(1, 3, 4).half(), torch.ones(1, 3, dtype=torch.bool)
    memory = Memory(score.keys(states), states, mask, states[:, 0])
    looked = torch.tensor([[1.0, 0.0, 0.0]]).half()
    query = torch.randn(1, 1, 4).half().requires_grad_()
    found = score(query, memory, History(looked, looked, torch.ones(1, dtype=torch.long)))
    content = query @ memory.keys.transpose(1, 2)
    assert found.dtype == torch.float16
    assert found.isfinite().all()
    torch.testing.assert_close(found[0, 0, 0], content[0, 0, 0])  # ln 1 for staying
    assert (found - content)[0, 0, 1:].max() < -17  # ln 6e-8
    found.softmax(-1)[0, 0, 0].backward()
    assert all(parameter.grad.isfinite().all() for parameter in (query, *score.parameters()))
