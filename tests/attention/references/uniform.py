"""Each of n words weighs 1/n."""

import torch


def attend(weights, query, states, summary):
    n = len(states)
    return torch.full((n,), 1 / n, dtype=states.dtype), sum(h / n for h in states)
