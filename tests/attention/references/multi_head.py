"""Vaswani et al. 2017, 3.2.2 and equation (1), number by number; four heads, the shown weights are their mean."""

import torch

HEADS = 4


def product(matrix, vector):
    return [sum(matrix[i, j] * vector[j] for j in range(len(vector))) for i in range(matrix.size(0))]


def attend(weights, query, states, summary):
    W_q, W_k, W_v, W_o = (weights[f"W_{name}.weight"] for name in "qkvo")
    q = product(W_q, query)
    keys, values = [product(W_k, h) for h in states], [product(W_v, h) for h in states]
    size = len(q) // HEADS
    mean, joined = [0.0] * len(states), []
    for head in range(HEADS):
        own = range(head * size, (head + 1) * size)
        exps = [torch.exp(sum(q[i] * k[i] for i in own) / size**0.5) for k in keys]
        alpha = [e / sum(exps) for e in exps]
        mean = [m + a / HEADS for m, a in zip(mean, alpha, strict=True)]
        joined += [sum(a * v[i] for a, v in zip(alpha, values, strict=True)) for i in own]
    return torch.stack(mean), torch.stack(product(W_o, joined))
