"""Learning-rate schedules as published, over torch's own."""

from collections.abc import Callable
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler


class Schedule:
    """A schedule and when it moves.

    Args:
        make: from an optimizer to a schedule; None keeps the rate constant.
        interval: it moves after every ``step`` or every ``epoch`` (an epoch ends with its validation).
        monitor: what a plateau schedule watches, e.g. ``val/loss``.
    """

    def __init__(
        self,
        make: Callable[..., LRScheduler] | None = None,
        interval: Literal["step", "epoch"] = "step",
        monitor: str | None = None,
    ) -> None:
        self.make, self.interval, self.monitor = make, interval, monitor

    def configure(self, optimizer: Optimizer) -> dict[str, Any]:
        """What Lightning wants to be told."""
        if self.make is None:
            return {"optimizer": optimizer}
        scheduler: dict[str, Any] = {"scheduler": self.make(optimizer), "interval": self.interval}
        if self.monitor:
            scheduler["monitor"] = self.monitor
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def luong_halving(optimizer: Optimizer, full_epochs: int = 5) -> LambdaLR:
    """Full rate for ``full_epochs`` epochs, then halved after each (Luong et al. 2015, section 4.1)."""
    return LambdaLR(optimizer, lambda epoch: 0.5 ** max(0, epoch - full_epochs + 1))


def noam(optimizer: Optimizer, model_dim: int, warmup: int = 4000, factor: float = 1.0) -> LambdaLR:
    """Rise and fall as factor * d^-0.5 * min(i^-0.5, i * warmup^-1.5), Vaswani et al. 2017, equation (3).

    Set the optimizer's lr to 1: it is one more factor.
    """
    return LambdaLR(
        optimizer,
        lambda step: factor * model_dim**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup**-1.5),
    )


def warmup_inverse_sqrt(optimizer: Optimizer, warmup: int = 1000) -> LambdaLR:
    """Linear to the optimizer's lr over ``warmup`` updates, then falling as 1 / sqrt(i)."""
    return LambdaLR(optimizer, lambda step: min((step + 1) / warmup, (warmup / (step + 1)) ** 0.5) if warmup else 1.0)


def warmup_linear(optimizer: Optimizer, total: int, warmup: int = 100) -> LambdaLR:
    """Linear up over ``warmup`` updates, then linear to zero at update ``total``."""
    return LambdaLR(
        optimizer,
        lambda step: min((step + 1) / max(1, warmup), max(0.0, (total - step) / max(1, total - warmup))),
    )
