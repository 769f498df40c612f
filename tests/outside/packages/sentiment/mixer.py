"""A mixer: every word becomes the mean of itself and its neighbours."""

import torch
from torch import nn

from attnlab.layers.mixer import Mixed, Mixer


class Neighbours(Mixer):
    def __init__(self, model_dim: int, heads: int, dropout: float, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.project = nn.Linear(model_dim, model_dim)

    def start(self, rows, like):
        return like.new_zeros(rows, 1, self.project.in_features)

    def forward(self, states, mask, position, state=None, wanted=False):
        if mask is not None:
            states = states * mask.unsqueeze(-1)
        before = torch.zeros_like(states[:, :1]) if state is None else state
        left = torch.cat([before, states[:, :-1]], 1)
        right = 0 if self.causal else torch.cat([states[:, 1:], torch.zeros_like(states[:, :1])], 1)
        return Mixed(self.project((left + states + right) / 3), states[:, -1:] if self.causal else ())
