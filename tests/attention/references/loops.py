"""What several transcriptions share: sums over numbers, one at a time."""

import torch


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total = total + x * y
    return total


def times(matrix, vector):
    return [dot(row, vector) for row in matrix]


def softmax(scores):
    exps = [torch.exp(score) for score in scores]
    return [e / sum(exps) for e in exps]


def mix(alpha, values):
    """Weights as a vector, and the context."""
    return torch.stack(list(alpha)), sum(a * v for a, v in zip(alpha, values, strict=True))


def general(weights, query, states):
    """h_t^T W_a h_s for every word."""
    W = weights["score.W_a.weight"]
    return [dot(query, times(W, h)) for h in states]


def normed(weights, query, states, prefix="score"):
    """g v^T / |v| tanh(W s + U h + b) for every word."""
    W, U = weights[f"{prefix}.W_a.weight"], weights[f"{prefix}.U_a.weight"]
    b, v, g = weights[f"{prefix}.U_a.bias"], weights[f"{prefix}.v_a.weight"][0], weights[f"{prefix}.g"]
    length = torch.sqrt(dot(v, v))
    scores = []
    for h in states:
        inside = [x + y + z for x, y, z in zip(times(W, query), times(U, h), b, strict=True)]
        scores.append(g / length * dot(v, [torch.tanh(x) for x in inside]))
    return scores
