"""Learning-rate schedules as published, over torch's own."""

import math
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from attnlab.metrics.registry import mode_of
from attnlab.ranges import OneOrMore, Weight, Width, ZeroOrMore
from attnlab.types import ConfigError


class Schedule:
    """A schedule and when it moves.

    Args:
        make: from an optimizer to a schedule; None keeps the rate constant.
        interval: it moves after every ``step`` or every ``epoch`` (an epoch ends with its validation, if it has one: a
            plateau schedule that watches ``val/…`` moves after those).
        monitor: what a plateau schedule watches, e.g. ``val/loss``.
        mode: whether it waits for more of it (``max``) or for less (``min``); None for a quantity of the
            laboratory's, which says which way is better itself.
        spans_training: ``make`` also takes ``total``, the number of updates of the whole training.
    """

    def __init__(
        self,
        make: Callable[..., LRScheduler] | None = None,
        interval: Literal["step", "epoch"] = "step",
        monitor: str | None = None,
        mode: Literal["min", "max"] | None = None,
        spans_training: bool = False,
    ) -> None:
        """See the class.

        Raises:
            ConfigError: the mode is the wrong way round, or missing for a quantity of the user's own.
        """
        if make is not None and monitor is not None and "mode" in signature(make).parameters:
            bound = make.keywords.get("mode") if isinstance(make, partial) else None
            said = mode if bound is None else mode_of(monitor, bound, "scheduler.make")
            make = partial(make, mode=mode_of(monitor, said if mode is None else mode, "scheduler"))
        self.make, self.interval, self.monitor, self.spans_training = make, interval, monitor, spans_training

    def configure(self, optimizer: Optimizer, updates: float, validated: int | None = 1) -> dict[str, Any]:
        """Tell Lightning.

        Args:
            optimizer: whose rate it sets.
            updates: how many there will be, infinity where no end is set.
            validated: after every so many epochs, when what a validation measures is read; None where that has nothing
                to do with epochs. It is read as soon as it is there.

        Raises:
            ConfigError: the schedule spans the training and the training has no end.
        """
        if self.make is None:
            return {"optimizer": optimizer}
        if self.spans_training and not math.isfinite(updates):
            raise ConfigError(
                "this scheduler falls to zero at the end of training, and trainer.max_epochs and trainer.max_steps "
                "set no end: set one of them, or take scheduler=constant or scheduler=warmup_inverse_sqrt"
            )
        made = self.make(optimizer, total=int(updates)) if self.spans_training else self.make(optimizer)
        scheduler: dict[str, Any] = {"scheduler": made, "interval": self.interval}
        if self.monitor:
            scheduler["monitor"] = self.monitor
            if isinstance(made, ReduceLROnPlateau) and self.monitor.startswith("val/"):
                scheduler["strict"] = self.interval == "epoch" and validated is not None
                scheduler["frequency"] = (validated or 1) if self.interval == "epoch" else 1
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def luong_halving(optimizer: Optimizer, full_epochs: ZeroOrMore = 5) -> LambdaLR:
    """Full rate for ``full_epochs`` epochs, then halved after each (Luong et al. 2015, section 4.1)."""
    return LambdaLR(optimizer, lambda epoch: 0.5 ** max(0, epoch - full_epochs + 1))


def noam(optimizer: Optimizer, model_dim: Width, warmup: OneOrMore = 4000, factor: Weight = 1.0) -> LambdaLR:
    """Rise and fall as factor * d^-0.5 * min(i^-0.5, i * warmup^-1.5), Vaswani et al. 2017, equation (3).

    Set the optimizer's lr to 1: it is one more factor.
    """
    return LambdaLR(
        optimizer,
        lambda step: factor * model_dim**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup**-1.5),
    )


def warmup_inverse_sqrt(optimizer: Optimizer, warmup: ZeroOrMore = 1000) -> LambdaLR:
    """Linear to the optimizer's lr over ``warmup`` updates, then falling as 1 / sqrt(i)."""
    return LambdaLR(optimizer, lambda step: min((step + 1) / warmup, (warmup / (step + 1)) ** 0.5) if warmup else 1.0)


def warmup_linear(optimizer: Optimizer, total: int, warmup: ZeroOrMore = 100) -> LambdaLR:
    """Linear up over ``warmup`` updates, then linear to zero at update ``total``."""
    return LambdaLR(
        optimizer,
        lambda step: min((step + 1) / max(1, warmup), max(0.0, (total - step) / max(1, total - warmup))),
    )


def cosine(optimizer: Optimizer, total: int, warmup: ZeroOrMore = 0) -> LambdaLR:
    """Linear up over ``warmup`` updates, then half a cosine to zero at update ``total``.

    Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", equation (5), without restarts.
    """

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))

    return LambdaLR(optimizer, factor)
