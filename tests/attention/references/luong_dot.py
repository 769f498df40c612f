"""Luong et al. 2015, 3.1: score = h_t^T h_s, number by number."""

import torch


def attend(weights, query, states, summary):
    exps = [torch.exp(sum(query[d] * h[d] for d in range(len(query)))) for h in states]
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
