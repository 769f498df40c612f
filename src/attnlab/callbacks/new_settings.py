"""A training that goes on with other settings than it began with: those of the configuration hold.

A checkpoint has more than what was learned: restoring it puts the recorded learning rate, weight decay, patience, …
in the place of those that were asked for.
"""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.private.torch import set_last_rates

OF_A_PLATEAU = ("factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lrs", "eps")


class NewSettings(Callback):
    """After a resume: the optimizer's, a plateau schedule's and early stopping's settings are the configured ones.

    Rates that a schedule has changed since keep their proportion to the base rate. A training that had stopped early
    trains on when its patience allows it again.
    """

    def __init__(self) -> None:
        self._patience: list[tuple[EarlyStopping, int]] = []
        self._plateaus: list[tuple[ReduceLROnPlateau, dict[str, Any]]] = []
        self._rates: list[float] = []

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["base_rates"] = [float(optimizer.defaults.get("lr", 0)) for optimizer in trainer.optimizers]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn == "fit":
            self._rates = list(checkpoint.get("base_rates", []))
            stoppers: list[Any] = [item for item in trainer.callbacks if isinstance(item, EarlyStopping)]  # type: ignore[attr-defined]
            self._patience = [(item, item.patience) for item in stoppers]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for stopper, patience in self._patience:
            recorded, stopper.patience = stopper.patience, patience
            if recorded <= stopper.wait_count < patience and trainer.should_stop:
                trainer.should_stop = False
                for item in trainer.callbacks:  # type: ignore[attr-defined]
                    if isinstance(item, Checkpoints):
                        item.ended_after = 0
        schedules = [config.scheduler for config in trainer.lr_scheduler_configs]
        self._plateaus = [(item, {name: getattr(item, name) for name in OF_A_PLATEAU})
                          for item in schedules if isinstance(item, ReduceLROnPlateau)]  # fmt: skip

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for plateau, settings in self._plateaus:
            vars(plateau).update(settings)
        for optimizer, recorded in zip(trainer.optimizers, self._rates, strict=False):
            configure(optimizer, recorded, [config.scheduler for config in trainer.lr_scheduler_configs])
        self._rates, self._plateaus, self._patience = [], [], []


def configure(optimizer: Optimizer, recorded: float, schedules: list[Any]) -> None:
    """Give the groups of an optimizer the values that it was made with.

    Args:
        optimizer: restored.
        recorded: the base rate that it had before.
        schedules: of the training.
    """
    base = float(optimizer.defaults["lr"])
    ratio = base / recorded if recorded else 1.0
    for group in optimizer.param_groups:
        group.update({name: value for name, value in optimizer.defaults.items() if name != "lr"})
        if ratio != 1:
            group["lr"] *= ratio
            if "initial_lr" in group:
                group["initial_lr"] = base
    for schedule in schedules:
        if ratio != 1 and isinstance(schedule, LRScheduler) and schedule.optimizer is optimizer:
            set_last_rates(schedule, [group["lr"] for group in optimizer.param_groups])
            if not isinstance(schedule, ReduceLROnPlateau):
                schedule.base_lrs = [base for _ in schedule.base_lrs]
