"""Ranges of numbers whose constructors are other libraries': their annotations give none.

By package and parameter, so that a class of the same family needs no entry: every optimizer of torch has a rate.
"""

from typing import Annotated, Any, Literal

from annotated_types import Interval

from attnlab.ranges import (
    Duration,
    Fraction,
    OneOrMore,
    Positive,
    Probability,
    Real,
    Seconds,
    Share,
    Weight,
    ZeroOrMore,
)

Batches = ZeroOrMore | Probability | None  # so many, or a share of them
SomeBatches = OneOrMore | Share | None

TRAINER: dict[str, Any] = {
    "accumulate_grad_batches": OneOrMore,
    "check_val_every_n_epoch": OneOrMore | None,
    "devices": list[ZeroOrMore] | str | Literal[-1] | OneOrMore,
    "fast_dev_run": bool | ZeroOrMore,
    "gradient_clip_algorithm": Literal["norm", "value"] | None,
    "gradient_clip_val": Weight | None,
    "limit_predict_batches": Batches,
    "limit_test_batches": Batches,
    "limit_train_batches": SomeBatches,
    "limit_val_batches": Batches,
    "log_every_n_steps": ZeroOrMore | None,
    "max_epochs": Literal[-1] | ZeroOrMore | None,
    "max_steps": Literal[-1] | OneOrMore,
    "max_time": Duration | None,  # a mapping of Hydra's is no dict for Lightning
    "min_epochs": ZeroOrMore | None,
    "min_steps": ZeroOrMore | None,
    "num_nodes": OneOrMore,
    "num_sanity_val_steps": Literal[-1] | ZeroOrMore | None,
    "overfit_batches": Batches,
    "reload_dataloaders_every_n_epochs": ZeroOrMore,
    "val_check_interval": Duration | SomeBatches,
}
OPTIMIZER: dict[str, Any] = {
    "alpha": Fraction,  # RMSprop
    "betas": tuple[Fraction, Fraction],
    "dampening": Real,
    "eps": Weight,
    "etas": tuple[Positive, Positive],
    "initial_accumulator_value": Weight,
    "lr": Positive,
    "lr_decay": Weight,
    "momentum": Fraction,
    "momentum_decay": Weight,
    "rho": Fraction,
    "step_sizes": tuple[Positive, Positive],
    "weight_decay": Weight,
}
SCHEDULE: dict[str, Any] = {
    "cooldown": ZeroOrMore,
    "eps": Weight,
    "factor": Annotated[float, Interval(gt=0, lt=1)],
    "gamma": Weight,
    "min_lr": Weight | list[Weight],
    "patience": ZeroOrMore,
    "step_size": OneOrMore,
    "threshold": Weight,
}
LIGHTNING: dict[str, Any] = {
    "divergence_threshold": Real | None,
    "flush_logs_every_n_steps": OneOrMore,
    "min_delta": Weight,
    "patience": ZeroOrMore,
    "refresh_rate": ZeroOrMore,
    "stopping_threshold": Real | None,
    "timeout": Seconds,
    "version": str | ZeroOrMore | None,
}
RANGES = {  # the first package that fits
    "torch.optim.lr_scheduler": SCHEDULE,
    "torch.optim": OPTIMIZER,
    "pytorch_lightning.trainer": TRAINER,
    "pytorch_lightning": LIGHTNING,
}


def ranges(module: str) -> dict[str, Any]:
    """By parameter, for the constructors of a module; none for one that gives its own."""
    return next((table for package, table in RANGES.items() if f"{module}.".startswith(f"{package}.")), {})
