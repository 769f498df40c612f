"""The best word has it all; the gradient is the softmax's."""

import torch
from references.loops import general, mix, softmax


def attend(weights, query, states, summary):
    scores = general(weights, query, states)
    best = max(range(len(scores)), key=lambda j: scores[j].item())
    alpha = [a - a.detach() + float(j == best) for j, a in enumerate(softmax(scores))]
    weights, _ = mix([torch.tensor(float(j == best)).double() for j in range(len(scores))], states)
    return weights, mix(alpha, states)[1]
