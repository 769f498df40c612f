r"""What becomes of the decision when the positions that matter most are taken away, or when only they stay.

comprehensiveness, sufficiency   p(y) - p(y without r_k) and p(y) - p(y of r_k alone), r_k the k % with most attention,
    the mean over k = 1, 5, 10, 20, 50 (AOPC): DeYoung et al. 2020, "ERASER", equations (1) to (3), with the mean over
    the bins as their published scorer has it. Positions are left out of the input, and at least one is.
decision flips   the least share of the positions, from the top of a ranking on, whose weights have to be 0 (the others
    are divided by what is left of their sum) for another output to be the likeliest: Serrano and Smith 2019, "Is
    attention interpretable?", section 4. 1 where no decision flips before the last position.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.explanation.portions import each_without, portions
from attnlab.tasks.explaining import Instances

BINS = (0.01, 0.05, 0.1, 0.2, 0.5)


def ranks(importance: Float[Tensor, "N S"], instances: Instances) -> Int[Tensor, "N S"]:
    """The rank of each position, 0 the most important; padding comes last."""
    order = importance.masked_fill(~instances.mask, float("-inf")).argsort(dim=1, descending=True, stable=True)
    return order.argsort(1)


def erased(instances: Instances, importance: Float[Tensor, "N S"]) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
    """Comprehensiveness and sufficiency; nan of an instance that has one position.

    Of a regression: the absolute change, in units of ``scale``.
    """
    rank, lengths = ranks(importance, instances), instances.lengths.unsqueeze(1)
    fit = (instances.lengths > 1).nonzero().squeeze(1)
    without, alone = [], []
    for share in BINS:
        taken = rank < torch.minimum((share * lengths).ceil(), lengths - 1)
        without.append(_lost(instances, fit, taken[fit]))
        alone.append(_lost(instances, fit, (~taken & instances.mask)[fit]))
    return tuple(_spread(torch.stack(lost).mean(0), fit, instances) for lost in (without, alone))  # type: ignore[return-value]


def _lost(instances: Instances, rows: Tensor, left_out: Tensor) -> Tensor:
    moved, told = each_without(instances, rows, left_out)
    return moved if instances.values else instances.told(instances.output)[rows] - told


def _spread(values: Tensor, rows: Tensor, instances: Instances) -> Tensor:
    found = values.new_full((len(instances),), float("nan"))
    found[rows] = values
    return found


@torch.no_grad()
def flips(instances: Instances, importance: Float[Tensor, "N S"]) -> Float[Tensor, " N"]:
    """The share of the positions that have to go for the decision to flip."""
    rank = ranks(importance, instances)
    found = torch.ones(len(instances))
    steps = torch.arange(1, int(instances.lengths.max()), device=rank.device)
    rows, gone = (instances.lengths.unsqueeze(1) > steps).nonzero(as_tuple=True)
    for part in portions(torch.arange(len(rows)), instances):
        chosen = instances.select(rows[part])
        output = chosen.given(renormalised(chosen, rank[rows[part]] <= gone[part].unsqueeze(1)))
        flipped = output.argmax(1) != chosen.predicted
        share = (gone[part] + 1) / chosen.lengths
        found.scatter_reduce_(0, rows[part][flipped], share[flipped].to(found), "amin")
    return found


def renormalised(instances: Instances, gone: Tensor) -> Float[Tensor, "N L S"]:
    """The weights without some, each look with the sum that it had; a look at these only looks at the rest alike."""
    kept = (instances.mask & ~gone).unsqueeze(1)
    left = instances.weights * kept
    sums, total = left.sum(-1, keepdim=True), instances.weights.sum(-1, keepdim=True)
    alike = kept / kept.sum(-1, keepdim=True).clamp(min=1)
    return total * torch.where(sums.abs() > 1e-12, left / sums.where(sums.abs() > 1e-12, torch.ones_like(sums)), alike)
