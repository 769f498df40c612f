"""softmax of one row a step of 2 N(0, 1), drawn with seed 1."""

import torch
from references.loops import mix, softmax


def decode(weights, queries, states, summary):
    R = 2.0 * torch.randn(128, 128, generator=torch.Generator().manual_seed(1))
    return [mix(softmax([R[t, s].double() for s in range(len(states))]), states) for t in range(len(queries))]
