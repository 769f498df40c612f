"""The tutorial's score, v^T tanh(W (h_t + h_s)), number by number."""

import torch


def attend(weights, query, states, summary):
    W, v = weights["score.W.weight"], weights["score.v.weight"]
    exps = []
    for h in states:
        score = 0.0
        for a in range(W.size(0)):
            score = score + v[0, a] * torch.tanh(sum(W[a, d] * (query[d] + h[d]) for d in range(len(h))))
        exps.append(torch.exp(score))
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
