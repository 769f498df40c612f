"""Tu et al. 2016, neural coverage: a GRU cell a word, fed with weight, annotation and decoder state."""

import torch
from references.loops import dot, mix, softmax, times


def decode(weights, queries, states, summary):
    W, U, V = (weights[f"score.{name}.weight"] for name in ("W_a", "U_a", "V_a"))
    v, d = weights["score.v_a.weight"][0], V.size(1)
    coverage, found = [[torch.zeros(()).double()] * d for _ in states], []
    for s in queries:
        scores = []
        for h, C in zip(states, coverage, strict=True):
            parts = zip(times(W, s), times(U, h), times(V, C), strict=True)
            scores.append(dot(v, [torch.tanh(sum(part)) for part in parts]))
        alpha = softmax(scores)
        coverage = [gru(weights, C, a, h, s, d) for C, a, h in zip(coverage, alpha, states, strict=True)]
        found.append(mix(alpha, states))
    return found


def gru(weights, C, a, h, s, d):
    """Gates in torch's order r, z, n; n = tanh(x_n + r h_n)."""
    from_a, from_h, from_s, from_C = (weights[f"score.gates_{name}.weight"] for name in "ahsC")
    parts = zip(times(from_a, [a]), times(from_h, h), weights["score.gates_h.bias"], times(from_s, s), strict=True)
    x = [sum(part) for part in parts]
    y = [p + q for p, q in zip(times(from_C, C), weights["score.gates_C.bias"], strict=True)]
    new = []
    for i in range(d):
        r, z = torch.sigmoid(x[i] + y[i]), torch.sigmoid(x[d + i] + y[d + i])
        n = torch.tanh(x[2 * d + i] + r * y[2 * d + i])
        new.append((1 - z) * n + z * C[i])
    return new
