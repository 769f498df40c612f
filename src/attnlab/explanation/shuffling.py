"""Permuted weights: what the output is when each weight stands at another position.

For each instance the median, over P permutations of its positions, of the distance from its own output: Jain and
Wallace 2019, section 4.2.1. All looks of an instance are permuted alike.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.explanation.portions import portions
from attnlab.tasks.explaining import Instances


@torch.no_grad()
def median_change(instances: Instances, permutations: int, generator: torch.Generator) -> Float[Tensor, " N"]:
    """The median over so many permutations of how far the output moves."""
    rows = torch.arange(len(instances)).repeat(permutations)
    moved = []
    for part in portions(rows, instances):
        chosen = instances.select(part)
        moved.append(chosen.change(chosen.given(permuted(chosen, generator))))
    return torch.cat(moved).view(permutations, -1).quantile(0.5, dim=0)


def permuted(instances: Instances, generator: torch.Generator) -> Float[Tensor, "N L S"]:
    """The weights of each instance at other places among its own."""
    keys = torch.rand(instances.mask.shape, generator=generator).to(instances.mask.device)
    order = keys.masked_fill(~instances.mask, 2.0).argsort(1)  # padding stays behind
    return instances.weights.gather(2, order.unsqueeze(1).expand_as(instances.weights))
