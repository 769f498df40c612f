"""Stop when a monitored quantity no longer gets better."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import early_stopping

from attnlab.metrics.registry import mode_of
from attnlab.types import ConfigError


class EarlyStopping(early_stopping.EarlyStopping):
    """Lightning's, where ``mode`` follows from ``monitor``.

    Args:
        monitor: the logged quantity that is watched.
        mode: ``min`` or ``max``; null for a quantity of the laboratory's, which says which way is better itself.
        settings: as Lightning's.

    Raises:
        ConfigError: the mode is the wrong way round, or missing for a quantity of the user's own.
    """

    def __init__(self, monitor: str, mode: Literal["min", "max"] | None = None, **settings: Any) -> None:
        super().__init__(monitor=monitor, mode=mode_of(monitor, mode, "early_stopping"), **settings)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with self._known(trainer):
            super().on_validation_end(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with self._known(trainer):
            super().on_train_epoch_end(trainer, pl_module)

    @contextmanager
    def _known(self, trainer: pl.Trainer) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if self.monitor in trainer.callback_metrics:
                raise
            there = ", ".join(sorted(trainer.callback_metrics))
            raise ConfigError(f"early_stopping.monitor={self.monitor} was not logged; there is {there}") from error
