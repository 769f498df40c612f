r"""How important each position is by other measures, and whether attention ranks them so (Kendall's tau).

gradient       |x_j . d y / d x_j|, the weights held fixed: Jain and Wallace 2019, section 4.1; x_j is the embedded
               position, so that it is the gradient with respect to its place in a one-hot text
leave one out  how far the output moves where position j is left out and the others close up: likewise
value zeroing  how far it moves where only what is found at j is: a_j value_j = 0, all other weights as they are;
               Mohebbi et al. 2023, "Quantifying context mixing in Transformers", of the output in place of a state

tau is tau-b, over the positions of one instance; of one whose weights are all alike there is none.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.stats import kendalltau
from torch import Tensor

from attnlab.explanation.portions import each_given, each_without, portions
from attnlab.tasks.explaining import Instances


def gradients(instances: Instances) -> Float[Tensor, "N S"]:
    """|x_j . d y / d x_j| of every position, the weights held fixed."""
    found = []
    for part in portions(torch.arange(len(instances)), instances):
        chosen = instances.select(part)
        inputs = chosen.inputs.detach().requires_grad_()
        told = chosen.told(chosen.read(inputs, chosen.mask, chosen.weights).output)
        (gradient,) = torch.autograd.grad(told.sum(), [inputs])
        found.append((gradient * chosen.inputs).sum(-1).abs() * chosen.mask)
    return torch.cat(found)


def leave_one_out(instances: Instances) -> Float[Tensor, "N S"]:
    """How far the output moves without each position; nothing of an instance that has one position."""
    rows, places = (instances.mask & (instances.lengths > 1).unsqueeze(1)).nonzero(as_tuple=True)
    moved, _ = each_without(instances, rows, one_hot(places, instances))
    return at(rows, places, moved, instances)


def value_zeroing(instances: Instances) -> Float[Tensor, "N S"]:
    """How far the output moves where nothing is found at each position."""
    rows, places = instances.mask.nonzero(as_tuple=True)
    kept = ~one_hot(places, instances).unsqueeze(1)
    moved, _ = each_given(instances, rows, instances.weights[rows] * kept)
    return at(rows, places, moved, instances)


def one_hot(places: Tensor, instances: Instances) -> Tensor:
    return places.unsqueeze(1) == torch.arange(instances.mask.size(1), device=places.device)


def at(rows: Tensor, places: Tensor, values: Tensor, instances: Instances) -> Float[Tensor, "N S"]:
    found = values.new_zeros(instances.mask.shape)
    found[rows, places] = values
    return found


def tau(a: Float[Tensor, "N S"], b: Float[Tensor, "N S"], instances: Instances) -> NDArray[np.float64]:
    """Kendall's tau-b of each instance; nan where there is none."""
    first, second = a.double().cpu().numpy(), b.double().cpu().numpy()
    lengths = instances.lengths.tolist()
    return np.array([tau_of(first[n, :end], second[n, :end]) for n, end in enumerate(lengths)])


def tau_of(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Kendall's tau-b of one instance; nan where there is none."""
    if len(a) < 2 or not (np.ptp(a) > 0 and np.ptp(b) > 0):  # nor of a ranking that is nan
        return math.nan
    return float(kendalltau(a, b).statistic)
