"""Models whose explanations are known by construction."""

from dataclasses import dataclass, field

import torch

from attnlab.tasks.explaining import Asked, Instances

LENGTHS = [5, 3, 1]


@dataclass(eq=False)
class Copying(Instances):
    """Each position is a class of its own, and what is looked at is what is said: p(class of j) = a_j.

    a is the softmax of ``scores`` over the positions that there are; inputs are one-hot.
    """

    scores: torch.Tensor = field(default=None)

    def __post_init__(self):
        self.ask()

    def read(self, inputs, mask, weights=None):
        if weights is None:
            scores = (inputs * self.scores.unsqueeze(1)).sum(-1)  # of the class that stands there
            weights = scores.masked_fill(~mask, float("-inf")).softmax(-1).unsqueeze(1)
        return Asked((weights @ inputs).mean(1), weights)

    def given(self, weights):
        return (weights @ self.inputs).mean(1)

    def norms(self):
        return self.attention * self.inputs.norm(dim=-1)


@dataclass(eq=False)
class Ignoring(Copying):
    """Looks likewise, and says the same whatever it sees."""

    def read(self, inputs, mask, weights=None):
        found = super().read(inputs, mask, weights)
        return found._replace(output=0 * found.output + torch.tensor([0.7, 0.3, 0.0, 0.0, 0.0]).to(inputs))

    def given(self, weights):
        return 0 * super().given(weights) + torch.tensor([0.7, 0.3, 0.0, 0.0, 0.0]).to(weights)


@dataclass(eq=False)
class Adding(Copying):
    """A regression: says y = 2 sum_j a_j c_j, where c_j is the number of the class at j."""

    values = True

    def read(self, inputs, mask, weights=None):
        found = super().read(inputs, mask, weights)
        return found._replace(output=2 * found.output @ self._numbers(inputs))

    def given(self, weights):
        return 2 * super().given(weights) @ self._numbers(weights)

    @staticmethod
    def _numbers(like):
        return torch.arange(5).to(like).unsqueeze(1)


def instances(kind=Copying):
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
    inputs = torch.eye(5, dtype=torch.float64).repeat(len(LENGTHS), 1, 1) * mask.unsqueeze(-1)
    scores = torch.tensor([[0.3, -1.0, 2.0, 0.9, -0.4]] * len(LENGTHS), dtype=torch.float64)
    return kind(inputs, mask, scores)
