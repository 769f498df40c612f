"""All measures of some instances: a number an instance and measure, and the rankings that they come from."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from attnlab.explanation import attribution, distributions, erasure, layers, rankings, shuffling
from attnlab.explanation.adversary import Search, adversary
from attnlab.explanation.portions import portions
from attnlab.metrics.quantities import explanation as q
from attnlab.tasks.explaining import Instances


class Settings(NamedTuple):
    """What is measured.

    Args:
        permutations: of the weights of an instance.
        search: for adversarial weights; None looks for none.
        captum: measure by captum's attributions, too.
        draws: random rankings that a random one is the mean of.
    """

    permutations: int = 100
    search: Search | None = Search()
    captum: bool = True
    draws: int = 5


class Explained(NamedTuple):
    """What was measured of N instances."""

    measures: Mapping[str, NDArray[np.float64]]  #: [N] each; nan where one is not defined
    rankings: Mapping[str, Float[Tensor, "N S"]]  #: attention, and how important each position is by other measures
    adversarial: Float[Tensor, "N S"] | None  #: the mean of the looks of the adversary


def explain(instances: Instances, settings: Settings, generator: torch.Generator) -> Explained:
    """Measure everything that is defined for these instances."""
    others = more_than_weights(instances)
    ranked = {"attention": instances.attention, **importances(instances, settings), **others}
    measures = {**of_weights(instances), **correlations(ranked, instances), **replaced(instances, settings, generator)}
    measures |= of_erasure(instances, settings, generator)
    for name in others:
        measures |= of_ranking(name, ranked, instances)
    if settings.captum:
        measures[q.INFIDELITY.name] = plain(attribution.infidelity(instances, generator))
        measures[q.SENSITIVITY.name] = plain(attribution.sensitivity(instances, generator))
    found = None
    if settings.search is not None:
        measures, found = measures | (by := against(instances, settings.search, generator))[0], by[1]
    return Explained(measures, ranked, found)


def importances(instances: Instances, settings: Settings) -> dict[str, Float[Tensor, "N S"]]:
    """How important each position is by measures other than attention."""
    found = {
        "gradient": rankings.gradients(instances),
        "leave_one_out": rankings.leave_one_out(instances),
        "value_zeroing": rankings.value_zeroing(instances),
    }
    if settings.captum:
        found["integrated_gradients"] = attribution.integrated_gradients(instances)
        found["occlusion"] = attribution.occlusion(instances)
    return found


def more_than_weights(instances: Instances) -> dict[str, Float[Tensor, "N S"]]:
    """Rankings that are made of attention and of what else the model does with positions, where they are to be had."""
    found = {"norm": instances.norms()}
    mixing = instances.mixing()
    if mixing is not None:
        found |= {"rollout": layers.rollout(instances, mixing), "flow": layers.flow(instances, mixing)}
    return {name: ranking for name, ranking in found.items() if ranking is not None}


def of_ranking(name: str, ranked: Mapping[str, Tensor], instances: Instances) -> dict[str, NDArray[np.float64]]:
    """What is asked of attention, asked of another ranking: whether others rank so, and what erasure does by it."""
    found = {
        f"tau_{other}_{name}": rankings.tau(ranked[name], ranked[other], instances)
        for other in ("gradient", "leave_one_out")
    }
    defined = torch.isfinite(ranked[name]).all(1)
    for kind, values in zip(("comprehensiveness", "sufficiency"), erasure.erased(instances, ranked[name]), strict=True):
        found[f"{kind}_{name}"] = plain(values.where(defined, torch.full_like(values, torch.nan)))
    return found


def correlations(ranked: Mapping[str, Tensor], instances: Instances) -> dict[str, NDArray[np.float64]]:
    """Kendall's tau of attention with each; of signed attributions with their size."""
    return {
        f"tau_{name}": rankings.tau(ranked["attention"], values.abs(), instances)
        for name, values in ranked.items()
        if name != "attention"
    }


def of_weights(instances: Instances) -> dict[str, NDArray[np.float64]]:
    """How much is looked at."""
    each = distributions.entropy(distributions.distributions(instances))
    return {
        q.ENTROPY.name: plain(distributions.of_looks(each, instances.looks)),
        q.EFFECTIVE.name: plain(distributions.of_looks(each.exp(), instances.looks)),
    }


def replaced(instances: Instances, settings: Settings, generator: torch.Generator) -> dict[str, NDArray[np.float64]]:
    """How far the output moves with other weights."""
    with torch.no_grad():
        uniform = instances.change(instances.given(distributions.uniform(instances)))
    permuted = shuffling.median_change(instances, settings.permutations, generator)
    return {q.UNIFORM.name: plain(uniform), q.PERMUTED.name: plain(permuted)}


def against(
    instances: Instances, search: Search, generator: torch.Generator
) -> tuple[dict[str, NDArray[np.float64]], Float[Tensor, "N S"]]:
    """What an adversary finds."""
    found = adversary(instances, search, generator)
    farthest = distributions.farthest(distributions.distributions(instances), instances.mask)
    share = found.divergence / distributions.of_looks(farthest, instances.looks).clamp(min=1e-12)
    looks = instances.looks.unsqueeze(-1)
    measures = {
        q.ADVERSARIAL.name: plain(found.divergence),
        q.ADVERSARIAL_FOUND.name: plain((found.divergence > 0).to(share)),
        q.ADVERSARIAL_SHARE.name: plain(share.clamp(max=1)),
        q.ADVERSARIAL_CHANGE.name: plain(found.change),
    }
    return measures, (found.weights * looks).sum(1) / looks.sum(1)


def of_erasure(instances: Instances, settings: Settings, generator: torch.Generator) -> dict[str, NDArray[np.float64]]:
    """What is left without the positions that matter, in the order of several rankings."""
    comprehensive, sufficient = erasure.erased(instances, instances.attention)
    found = {q.COMPREHENSIVENESS.name: plain(comprehensive), q.SUFFICIENCY.name: plain(sufficient)}
    drawn = [torch.rand(instances.mask.shape, generator=generator).to(instances.inputs) for _ in range(settings.draws)]
    at_random = [erasure.erased(instances, one) for one in drawn]
    for name, side in ((q.COMPREHENSIVENESS_RANDOM.name, 0), (q.SUFFICIENCY_RANDOM.name, 1)):
        found[name] = plain(torch.stack([pair[side] for pair in at_random]).mean(0))
    if not instances.values:  # a value does not flip
        found |= {f"flip_{name}": value for name, value in _flips(instances, drawn).items()}
    return found


def _flips(instances: Instances, drawn: list[Tensor]) -> dict[str, NDArray[np.float64]]:
    gradient = by_weights(instances)
    product = (gradient * instances.weights * instances.looks.unsqueeze(-1)).sum(1)
    ranked: dict[str, Tensor] = {
        "attention": instances.attention,
        "gradient": (gradient * instances.looks.unsqueeze(-1)).sum(1),
        "product": product,
    }
    found = {name: plain(erasure.flips(instances, values)) for name, values in ranked.items()}
    return {**found, "random": plain(torch.stack([erasure.flips(instances, one) for one in drawn]).mean(0))}


def by_weights(instances: Instances) -> Float[Tensor, "N L S"]:
    """d y / d a of what is told."""
    found = []
    for part in portions(torch.arange(len(instances)), instances):
        chosen = instances.select(part)
        weights = chosen.weights.detach().requires_grad_()
        told: Callable[[Tensor], Tensor] = chosen.told
        (gradient,) = torch.autograd.grad(told(chosen.given(weights)).sum(), [weights])
        found.append(gradient)
    return torch.cat(found)


def plain(values: Tensor) -> NDArray[np.float64]:
    return values.detach().double().cpu().numpy()
