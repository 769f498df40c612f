"""Luong et al. 2015, 3.1: score = v_a^T tanh(W_a [h_t; h_s]), number by number."""

import torch


def attend(weights, query, states, summary):
    W, v = weights["score.W_a.weight"], weights["score.v_a.weight"]
    exps = []
    for h in states:
        both = [*query, *h]
        score = 0.0
        for a in range(W.size(0)):
            score = score + v[0, a] * torch.tanh(sum(W[a, i] * both[i] for i in range(len(both))))
        exps.append(torch.exp(score))
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
