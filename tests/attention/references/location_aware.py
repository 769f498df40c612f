"""Chorowski et al. 2015, (8) and (9): the convolution as sums over positions."""

import torch
from references.loops import dot, mix, softmax, times


def decode(weights, queries, states, summary):
    W, V, U = (weights[f"score.{name}.weight"] for name in "WVU")
    b, w, F = weights["score.V.bias"], weights["score.w.weight"][0], weights["score.F.weight"][:, 0]
    previous, size, middle = [torch.zeros(()).double()] * len(states), F.size(1), F.size(1) // 2
    found = []
    for s in queries:
        scores = []
        for j, h in enumerate(states):
            f = []
            for row in F:
                seen = [row[m] * previous[j + m - middle] for m in range(size) if 0 <= j + m - middle < len(states)]
                f.append(sum(seen))
            parts = zip(times(W, s), times(V, h), times(U, f), b, strict=True)
            scores.append(dot(w, [torch.tanh(sum(part)) for part in parts]))
        previous = softmax(scores)
        found.append(mix(previous, states))
    return found
