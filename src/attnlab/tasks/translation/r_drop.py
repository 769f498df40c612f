r"""R-Drop: two passes with different dropout shall say the same.

$$L = \tfrac12 (L_1 + L_2) + \tfrac{\alpha}{4} \left[ \mathrm{KL}(p_1 \| p_2) + \mathrm{KL}(p_2 \| p_1) \right]$$

half of equation (4) of Liang et al. 2021, "R-Drop: regularized dropout for neural networks", with the cross-entropies
L_1 and L_2 of the two passes and their distributions p_1 and p_2 of every target word; half, to be of the size of
one pass's loss.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.types import ConfigError


class TwoPasses(NamedTuple):
    """Sums over target words."""

    cross_entropy: Float[Tensor, ""]  #: the mean of both passes
    divergence: Float[Tensor, ""]  #: the mean of both directions


def two_passes(
    first: Float[Tensor, "M V"], second: Float[Tensor, "M V"], gold: Int[Tensor, " M"], smoothing: float
) -> TwoPasses:
    """What two passes are trained by.

    Args:
        first: logits of the one pass.
        second: of the other.
        gold: the words.
        smoothing: of the cross-entropy's labels.
    """
    wide = torch.promote_types(first.dtype, torch.float32)
    p, q = (logits.to(wide).log_softmax(-1) for logits in (first, second))
    losses = [F.cross_entropy(each, gold, reduction="sum", label_smoothing=smoothing) for each in (p, q)]
    both = ((p.exp() - q.exp()) * (p - q)).sum()  # KL(p || q) + KL(q || p)
    return TwoPasses((losses[0] + losses[1]) / 2, both / 2)


def check_r_drop(weight: float, model: nn.Module) -> None:
    """Raise ConfigError where two passes could not differ, or what is drawn at random would have to be learnt from."""
    if not weight:
        return
    if not any(isinstance(part, nn.Dropout) and part.p > 0 for part in model.modules()):
        raise ConfigError(f"task.r_drop={weight}: without dropout both passes are the same; set model.dropout, too")
    if any(getattr(part, "draws", False) is True for part in model.modules()):
        raise ConfigError(
            f"task.r_drop={weight}: this attention draws its weights at random, and what is learnt from draws is "
            "of one pass; set task.r_drop=0, or take attention/normalizer=hard_st"
        )
