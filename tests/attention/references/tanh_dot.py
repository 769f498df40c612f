"""Yang et al. 2016, (5) and (6): u_i = tanh(W h_i + b), score = u_i^T q, number by number."""

import torch
from references.loops import dot, mix, softmax, times


def attend(weights, query, states, summary):
    W, b = weights["score.W.weight"], weights["score.W.bias"]
    scores = []
    for h in states:
        u = [torch.tanh(x + y) for x, y in zip(times(W, h), b, strict=True)]
        scores.append(dot(u, query))
    return mix(softmax(scores), states)
