"""The gradients of an update, all of them: their norm, their bounds, and whether they are numbers at all."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.private.torch import foreach_norm


class Gradients(NamedTuple):
    """What is known of the gradients before they are bounded."""

    norms: Float[Tensor, " P"]  #: of each parameter that has one
    total: Float[Tensor, ""]  #: of all of them together
    parameters: list[nn.Parameter]  #: those P


Watch = Callable[[Optimizer, Gradients], None]  #: may take the gradients away, and so the update back


def with_gradients(optimizer: Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]


def bound(
    optimizer: Optimizer, limit: float | None, by_value: bool, watch: Watch | None = None
) -> Float[Tensor, ""] | None:
    """Clip by the norm of all gradients (Pascanu et al. 2013) or each number by its value; None or 0 clips nothing.

    ``watch`` sees them before, and for that the norm is taken where nothing else wants it.

    Returns:
        The norm before, where it was taken.
    """
    parameters = with_gradients(optimizer)
    total = None
    if not parameters:
        return total
    limit = limit or 0.0
    by_norm = limit > 0 and not by_value
    if by_norm or watch is not None:
        norms = torch.stack(foreach_norm([p.grad for p in parameters]))
        gradients = Gradients(norms, total := torch.linalg.vector_norm(norms), parameters)
        if watch is not None:
            watch(optimizer, gradients)
        if by_norm:
            torch.nn.utils.clip_grads_with_norm_(parameters, limit, gradients.total)
    if limit > 0 and by_value:
        torch.nn.utils.clip_grad_value_(parameters, limit)
    return total
