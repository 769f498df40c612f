"""Correia et al. 2019: p = [(alpha - 1) z - tau]_+^(1 / (alpha - 1)), tau by bisection of plain numbers.

The gradient comes with one step of Newton's method from the solution, which is exact there.
"""

import torch
from references.loops import general, mix


def attend(weights, query, states, summary):
    alpha = 1 + torch.sigmoid(weights["normalizer.theta"])
    z = [(alpha - 1) * x for x in general(weights, query, states)]
    power = 1 / (alpha - 1)
    plain, exponent = [x.item() for x in z], power.item()
    low, high = max(plain) - 1, max(plain)
    for _ in range(200):
        middle = (low + high) / 2
        total = sum((x - middle) ** exponent for x in plain if x > middle)
        low, high = (middle, high) if total > 1 else (low, middle)
    inside = [x for x in z if x.item() > low]
    excess = sum((x - low) ** power for x in inside) - 1
    slope = sum(power.detach() * (x.detach() - low) ** (power.detach() - 1) for x in inside)
    tau = low + excess / slope
    zero = torch.zeros(()).double()
    return mix([(x - tau) ** power if x.item() > low else zero for x in z], states)
