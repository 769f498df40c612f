"""Martins and Astudillo 2016, algorithm 1: sort, find the support, subtract its threshold."""

import torch
from references.loops import general, mix


def attend(weights, query, states, summary):
    z = general(weights, query, states)
    ordered = sorted(z, key=lambda x: -x.item())
    k = max(k for k in range(1, len(z) + 1) if 1 + k * ordered[k - 1].item() > sum(ordered[:k]).item())
    tau = (sum(ordered[:k]) - 1) / k
    return mix([torch.clamp(x - tau, min=0) for x in z], states)
