"""Peters et al. 2019: p = [z/2 - tau]_+^2; of each possible support size, the threshold in closed form."""

import torch
from references.loops import general, mix


def attend(weights, query, states, summary):
    z = [x / 2 for x in general(weights, query, states)]
    ordered = sorted(z, key=lambda x: -x.item())
    for k in range(len(z), 0, -1):
        mean = sum(ordered[:k]) / k
        spread = sum((x - mean) ** 2 for x in ordered[:k])
        if spread.item() <= 1:
            # sum_k (x - tau)^2 = 1 is a quadratic equation for tau
            tau = mean - torch.sqrt((1 - spread) / k)
            if ordered[k - 1].item() >= tau.item():
                break
    return mix([torch.clamp(x - tau, min=0) ** 2 for x in z], states)
