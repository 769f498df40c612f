r"""Weights as distributions over positions, and how far two of them are apart.

$$H(a) = -\\sum_j a_j \\ln a_j, \\qquad
\\mathrm{JSD}(a, b) = H\\bigl(\\tfrac{a + b}{2}\\bigr) - \\tfrac{H(a) + H(b)}{2} \\le \\ln 2$$

In nats. A look whose weights do not sum to 1 (of a sigmoid, of a monotonic mechanism) is divided by its sum; signed
weights count by their size. A look at nothing has no distribution, and counts as one at all positions alike.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from attnlab.tasks.explaining import Instances


def distributions(instances: Instances) -> Float[Tensor, "N L S"]:
    """Each look as a distribution over the positions that there are."""
    sizes, real = instances.weights.abs(), instances.mask.unsqueeze(1)
    totals = sizes.sum(-1, keepdim=True)
    alike = (real / real.sum(-1, keepdim=True)).to(sizes)
    return torch.where(totals > 0, sizes / totals.clamp(min=torch.finfo(sizes.dtype).tiny), alike)


def entropy(distribution: Float[Tensor, "*N S"]) -> Float[Tensor, "*N"]:
    # Not xlogy, whose gradient is nan where the weight of padding is 0.
    return -(distribution * distribution.clamp(min=torch.finfo(distribution.dtype).tiny).log()).sum(-1)


def divergence(a: Float[Tensor, "*N S"], b: Float[Tensor, "*N S"]) -> Float[Tensor, "*N"]:
    """Jensen-Shannon divergence."""
    return (entropy((a + b) / 2) - (entropy(a) + entropy(b)) / 2).clamp(min=0)


def of_looks(values: Float[Tensor, "N L"], looks: Bool[Tensor, "N L"]) -> Float[Tensor, " N"]:
    """The mean over the looks that there are."""
    return torch.where(looks, values, torch.zeros_like(values)).sum(1) / looks.sum(1)


def farthest(a: Float[Tensor, "N L S"], mask: Bool[Tensor, "N S"]) -> Float[Tensor, "N L"]:
    """The largest divergence that any distribution over these positions can have from a.

    The divergence is convex in b, so that a vertex of the simplex has it, and it falls with a_j: that of the one whose
    whole weight is where a has least.
    """
    least = a.masked_fill(~mask.unsqueeze(1), float("inf")).argmin(-1)
    return divergence(a, functional.one_hot(least, a.size(-1)).to(a))


def uniform(instances: Instances) -> Float[Tensor, "N L S"]:
    """The sum of each look spread over all positions alike."""
    real = instances.mask.unsqueeze(1)
    return instances.weights.sum(-1, keepdim=True) * real / real.sum(-1, keepdim=True)
