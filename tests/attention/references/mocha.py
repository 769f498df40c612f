"""Chiu and Raffel 2018: b_ij = sum_{k=j}^{j+w-1} a_ik exp(u_ij) / sum_{l=k-w+1}^{k} exp(u_il)."""

import torch
from references.loops import mix, normed
from references.monotonic import SETTINGS as SETTINGS
from references.monotonic import expected, hard

w = 3


def decode(weights, queries, states, summary, training):
    energies = [[e + weights["window.r"] for e in normed(weights, query, states)] for query in queries]
    steps = (expected if training else hard)(energies)
    found = []
    for query, alpha in zip(queries, steps, strict=True):
        u = [torch.exp(e) for e in normed(weights, query, states, "window.chunk_score")]
        beta = []
        for j in range(len(states)):
            total = 0.0
            for k in range(j, min(j + w, len(states))):
                total = total + alpha[k] * u[j] / sum(u[max(0, k - w + 1) : k + 1])
            beta.append(total)
        found.append(mix(beta, states))
    return found
