"""The last word has it all."""

import torch


def attend(weights, query, states, summary):
    alpha = torch.zeros(len(states), dtype=states.dtype)
    alpha[-1] = 1
    return alpha, states[len(states) - 1] * 1
