r"""Attributions of the captum library, and its measures of how good an explanation attention is.

integrated gradients   sum over the embedding of (x - x') int_0^1 dy/dx (x' + t (x - x')) dt, x' = 0: Sundararajan et
                       al. 2017; attention is computed anew at every point of the way
occlusion              how y falls where the embedded position is 0: Zeiler and Fergus 2014
infidelity             E_I (I . a - (y(x) - y(x - I)))^2, where I takes away a random half of the positions (their
                       embeddings are 0), a is attention times the factor that is best over these draws: Yeh et al.
                       2019, "On the (in)fidelity and sensitivity of explanations", definition 2.1
sensitivity            max ||a(x + d) - a(x)|| / ||a(x)|| over random d with |d_i| <= r in the embedded positions:
                       likewise, definition 2.2
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.errors import ConfigError
from attnlab.explanation.portions import portions
from attnlab.tasks.explaining import Instances

POINTS, RADIUS, DRAWS = 20, 0.02, 10


def require_captum() -> None:
    """Raise ConfigError where the extra is not installed."""
    try:
        import captum  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "captum=true: missing: pip install 'attnlab[explain]'; or captum=false goes without"
        ) from error


class _Asking:
    """The instances as captum asks them: rows are named by their numbers, for it repeats them."""

    def __init__(self, instances: Instances) -> None:
        self.instances = instances
        self.rows = torch.arange(len(instances))

    def told(self, inputs: Tensor, rows: Tensor) -> Tensor:
        """The number that is explained."""
        chosen = self.instances.select(rows)
        return chosen.told(chosen.read(inputs, chosen.mask).output)

    def present(self, presence: Float[Tensor, "M S"], rows: Tensor) -> Tensor:
        """The same where positions are there in part: their embeddings are multiplied by ``presence``."""
        return self.told(self.instances.inputs[rows] * presence.unsqueeze(-1), rows)

    def looked(self, inputs: Any, additional_forward_args: Any) -> tuple[Tensor]:
        """The attention that is explained with, as an explanation of the input; captum iterates over what comes."""
        (inputs,) = inputs if isinstance(inputs, tuple) else (inputs,)
        (rows,) = additional_forward_args
        chosen = self.instances.select(rows)
        chosen.weights = chosen.read(inputs, chosen.mask).weights * chosen.mask.unsqueeze(1)
        return (chosen.attention.detach(),)


def integrated_gradients(instances: Instances) -> Float[Tensor, "N S"]:
    """What each position adds to what is told, by the path from nothing to the input."""
    from captum.attr import IntegratedGradients

    found = []
    for part in portions(torch.arange(len(instances)), instances):
        asking = _Asking(instances.select(part))
        method: Any = IntegratedGradients(asking.told)
        attributed = method.attribute(
            asking.instances.inputs,
            additional_forward_args=(asking.rows,),
            n_steps=POINTS,
            internal_batch_size=len(part),
        )
        found.append(attributed.detach().sum(-1))
    return torch.cat(found).to(instances.inputs)


@torch.no_grad()
def occlusion(instances: Instances) -> Float[Tensor, "N S"]:
    """How what is told falls where each position is blank."""
    from captum.attr import Occlusion

    asking = _Asking(instances)
    method: Any = Occlusion(asking.present)
    presence = instances.mask.to(instances.inputs)
    found: Tensor = method.attribute(presence, sliding_window_shapes=(1,), additional_forward_args=(asking.rows,))
    return found * instances.mask


def infidelity(instances: Instances, generator: torch.Generator) -> Float[Tensor, " N"]:
    """Of attention as an attribution to the positions."""
    from captum.metrics import infidelity as measured

    asking = _Asking(instances)

    def take_away(presence: Tensor) -> tuple[Tensor, Tensor]:
        taken = (torch.rand(presence.shape, generator=generator).to(presence) < 0.5) * presence
        return taken, presence - taken

    presence = instances.mask.to(instances.inputs)
    with torch.no_grad():
        found: Tensor = measured(
            asking.present, take_away, presence, instances.attention, additional_forward_args=(asking.rows,),
            n_perturb_samples=DRAWS, normalize=True,
        )  # fmt: skip
    return found


def sensitivity(instances: Instances, generator: torch.Generator) -> Float[Tensor, " N"]:
    """Of attention to small moves of the embedded positions."""
    from captum.metrics import sensitivity_max

    asking = _Asking(instances)

    def move(inputs: Tensor, radius: float) -> Tensor:
        return inputs + radius * (2 * torch.rand(inputs.shape, generator=generator).to(inputs) - 1)

    found: Tensor = sensitivity_max(
        asking.looked, instances.inputs, perturb_func=move, perturb_radius=RADIUS, n_perturb_samples=DRAWS,
        additional_forward_args=(asking.rows,),
    )  # fmt: skip
    return found
