"""Luong et al. 2015, 3.1: score = h_t^T W_a h_s, number by number."""

import torch


def attend(weights, query, states, summary):
    W = weights["score.W_a.weight"]
    exps = []
    for h in states:
        score = 0.0
        for i in range(W.size(0)):
            for j in range(W.size(1)):
                score = score + query[i] * W[i, j] * h[j]
        exps.append(torch.exp(score))
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
