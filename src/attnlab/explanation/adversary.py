r"""Adversarial attention: weights as far from the model's own as they can be, with an output that stays as it is.

$$\\max_{a'} \\mathrm{JSD}(a', a) \\quad\\text{where}\\quad \\Delta y(a') \\le \\epsilon$$

Jain and Wallace 2019, "Attention is not explanation", section 4.2.2, as their code has it: a' is the softmax of numbers
that begin at random, N(0, 3), in several starts; 500 steps of Adam (AMSGrad, learning rate 0.01) on -JSD + 500 max(0,
Delta y - epsilon). What deviates: starts do not push each other away, and the best weights of all steps are taken,
not only those of the last one. Where nothing within epsilon was found, the model's own weights are: 0. With several
looks the mean of their divergences is maximised, and looks that do not sum to 1 keep their sums.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.explanation.distributions import distributions, divergence, of_looks
from attnlab.explanation.portions import portions
from attnlab.tasks.explaining import Instances

SPREAD, PENALTY = 3.0, 500.0


class Search(NamedTuple):
    """How long it is looked for.

    Args:
        starts: at random; 0 looks for none.
        steps: of Adam.
        epsilon: how far the output may move: total variation distance, or standard deviations.
        rate: learning rate.
    """

    starts: int = 5
    steps: int = 500
    epsilon: float = 0.01
    rate: float = 0.01


class Adversary(NamedTuple):
    """What was found for each instance."""

    divergence: Float[Tensor, " N"]  #: in nats, at most ln 2
    change: Float[Tensor, " N"]  #: of the output with these weights
    weights: Float[Tensor, "N L S"]


def adversary(instances: Instances, search: Search, generator: torch.Generator) -> Adversary:
    """The farthest weights of all starts for each instance."""
    rows = torch.arange(len(instances)).repeat(search.starts)
    found = [_ascend(instances.select(part), search, generator) for part in portions(rows, instances)]
    far, moved, weights = (torch.cat(part).unflatten(0, (search.starts, -1)) for part in zip(*found, strict=True))
    best = far.argmax(0)
    each = torch.arange(len(instances))
    return Adversary(far[best, each], moved[best, each], weights[best, each])


def _ascend(chosen: Instances, search: Search, generator: torch.Generator) -> Adversary:
    """From one start for each instance."""
    own, sums = distributions(chosen), chosen.weights.sum(-1, keepdim=True)
    best = Adversary(own.new_zeros(len(chosen)), own.new_zeros(len(chosen)), chosen.weights)
    numbers = (SPREAD * torch.randn(own.shape, generator=generator)).to(own).requires_grad_()
    optimizer = torch.optim.Adam([numbers], lr=search.rate, amsgrad=True)
    closed = ~chosen.mask.unsqueeze(1)
    for _ in range(search.steps):
        tried = numbers.masked_fill(closed, float("-inf")).softmax(-1)
        far = of_looks(divergence(tried, own), chosen.looks)
        moved = chosen.change(chosen.given(tried * sums))
        best = _better(best, Adversary(far.detach(), moved.detach(), (tried * sums).detach()), search.epsilon)
        loss = (PENALTY * (moved - search.epsilon).clamp(min=0) - far).sum()
        (numbers.grad,) = torch.autograd.grad(loss, [numbers])
        optimizer.step()
    return best


def _better(best: Adversary, tried: Adversary, epsilon: float) -> Adversary:
    gain = (tried.change <= epsilon) & (tried.divergence > best.divergence)
    return Adversary(
        torch.where(gain, tried.divergence, best.divergence),
        torch.where(gain, tried.change, best.change),
        torch.where(gain[:, None, None], tried.weights, best.weights),
    )
