"""Luong et al. 2015, equation (8): a_t = softmax(W_a h_t), over the words that are there."""

import torch


def attend(weights, query, states, summary):
    W = weights["score.W_a.weight"]
    exps = [torch.exp(sum(W[s, d] * query[d] for d in range(len(query)))) for s in range(len(states))]
    alpha = [e / sum(exps) for e in exps]
    return torch.stack(alpha), sum(a * h for a, h in zip(alpha, states, strict=True))
