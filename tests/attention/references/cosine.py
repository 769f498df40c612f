"""Graves et al. 2014, (5) and (6): softmax of beta times the cosine."""

import torch
from references.loops import dot, mix, softmax


def attend(weights, query, states, summary):
    beta = torch.log(1 + torch.exp(weights["score.b"]))
    length = lambda v: torch.sqrt(dot(v, v))  # noqa: E731
    return mix(softmax([beta * dot(query, h) / (length(query) * length(h)) for h in states]), states)
