"""Tu et al. 2016, linguistic coverage: what a word has been given so far, over its fertility N sigma(U_f h)."""

import torch
from references.loops import dot, mix, softmax, times

N = 2.0


def decode(weights, queries, states, summary):
    W, U, V = (weights[f"score.{name}.weight"] for name in ("W_a", "U_a", "V_a"))
    v, U_f = weights["score.v_a.weight"][0], weights["score.U_f.weight"][0]
    given, found = [0.0] * len(states), []
    for s in queries:
        scores = []
        for h, total in zip(states, given, strict=True):
            coverage = total / (N / (1 + torch.exp(-dot(U_f, h))))
            parts = zip(times(W, s), times(U, h), [row[0] * coverage for row in V], strict=True)
            scores.append(dot(v, [torch.tanh(sum(part)) for part in parts]))
        alpha = softmax(scores)
        given = [total + a for total, a in zip(given, alpha, strict=True)]
        found.append(mix(alpha, states))
    return found
