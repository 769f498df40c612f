"""Bahdanau et al. 2015, A.1.2: e_ij = v_a^T tanh(W_a s + U_a h_j), number by number."""

import torch


def attend(weights, query, states, summary):
    W, U, v = weights["score.W_a.weight"], weights["score.U_a.weight"], weights["score.v_a.weight"]
    energies = []
    for h in states:
        e = 0.0
        for a in range(W.size(0)):
            inside = 0.0
            for q in range(len(query)):
                inside = inside + W[a, q] * query[q]
            for k in range(len(h)):
                inside = inside + U[a, k] * h[k]
            e = e + v[0, a] * torch.tanh(inside)
        energies.append(torch.exp(e))
    alpha = [e / sum(energies) for e in energies]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
