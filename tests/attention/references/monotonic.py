"""Raffel et al. 2017: the expected alignment by the recursion over positions; hard, word by word, in decoding."""

import torch
from references.loops import mix, normed

SETTINGS = ["attention.window.noise=0.0"]


def decode(weights, queries, states, summary, training):
    align = expected if training else hard
    energies = [[e + weights["window.r"] for e in normed(weights, query, states)] for query in queries]
    return [mix(alpha, states) for alpha in align(energies)]


def expected(energies):
    """q_ij = (1 - p_i,j-1) q_i,j-1 + a_i-1,j;  a_ij = p_ij q_ij."""
    words = len(energies[0])
    previous, steps = [torch.ones(()).double()] + [torch.zeros(()).double()] * (words - 1), []
    for row in energies:
        p = [torch.sigmoid(e) for e in row]
        q, alpha = 0.0, []
        for j in range(words):
            q = (1 - p[j - 1]) * q + previous[j] if j else previous[0]
            alpha.append(p[j] * q)
        previous = alpha
        steps.append(alpha)
    return steps


def hard(energies):
    """Algorithm 1, with z = [p > 1/2]."""
    stand, steps = 0, []
    for row in energies:
        alpha = [torch.zeros(()).double()] * len(row)
        while stand < len(row) and not torch.sigmoid(row[stand]) > 0.5:
            stand += 1
        if stand < len(row):
            alpha[stand] = torch.ones(()).double()
        steps.append(alpha)
    return steps
