"""In evaluation the most probable word has it all (training draws: test_normalizers.py)."""

import torch
from references.loops import general, mix

RANDOM = True


def attend(weights, query, states, summary):
    scores = general(weights, query, states)
    best = max(range(len(scores)), key=lambda j: scores[j].item())
    return mix([torch.tensor(float(j == best)).double() for j in range(len(scores))], states)
