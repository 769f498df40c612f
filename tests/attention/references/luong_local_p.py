"""Luong et al. 2015, (9) and (10): a predicted position, a window, a Gaussian, and no second normalisation."""

import math

import torch
from references.loops import dot, general, mix, softmax, times

D = 2
SETTINGS = [f"attention.window.D={D}"]


def attend(weights, query, states, summary):
    W_p, v_p = weights["window.W_p.weight"], weights["window.v_p.weight"][0]
    p = len(states) / (1 + torch.exp(-dot(v_p, [torch.tanh(x) for x in times(W_p, query)])))
    inside = [s for s in range(len(states)) if math.fabs(s - p.item()) <= D]
    alpha, sigma = [torch.zeros(()).double()] * len(states), D / 2
    for s, a in zip(inside, softmax(general(weights, query, states[inside])), strict=True):
        alpha[s] = a * torch.exp(-((s - p) ** 2) / (2 * sigma**2))
    return mix(alpha, states)
