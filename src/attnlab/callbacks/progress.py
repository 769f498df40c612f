"""How far training is: one line an epoch, and on a terminal a bar below."""

import sys
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm

from attnlab.console import PLACE
from attnlab.metrics.quantities.costs import training_speed
from attnlab.ranges import ZeroOrMore
from attnlab.tasks.base import task_of


class Progress(TQDMProgressBar):
    """One plain line after each epoch; where standard output is a terminal, Lightning's bar below them.

    Args:
        refresh_rate: batches between two updates of the bar.
    """

    only_watches = True

    def __init__(self, refresh_rate: ZeroOrMore = 10) -> None:
        super().__init__(refresh_rate=refresh_rate)
        self.terminal, self.shown = sys.stdout.isatty(), True
        self.validated = False  #: since the last line

    def disable(self) -> None:
        super().disable()
        self.shown = False  # in all processes but the first

    @property
    def is_enabled(self) -> bool:
        return self.terminal and super().is_enabled

    def on_train_epoch_start(self, trainer: pl.Trainer, *positional: Any) -> None:
        super().on_train_epoch_start(trainer, *positional)
        if PLACE:
            self.train_progress_bar.set_description(" ".join([*PLACE, f"Epoch {trainer.current_epoch}"]))

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """The quantities logged with ``prog_bar=True``, without the logger's run id."""
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        return metrics

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        self.validated = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if self.is_enabled:
            self.print(self.line(trainer, pl_module))
        elif self.shown and not self.terminal:
            print(self.line(trainer, pl_module), flush=True)
        self.validated = False

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Leave the line of a bar that stands half drawn: what is told next begins one of its own."""
        for bar in [item for item in vars(self).values() if isinstance(item, Tqdm)]:
            bar.close()

    def line(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> str:
        """``epoch 3/12  step 846  train/loss 1.234  val/bleu 34.5  21,904 tokens/s``."""
        epochs = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
        words = [f"epoch {trainer.current_epoch + 1}{epochs}", f"step {trainer.global_step}"]
        for name, value in self.get_metrics(trainer, pl_module).items():
            if name.startswith("val/") and not self.validated:
                continue  # of an epoch before
            words.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
        speed = training_speed(task_of(pl_module).unit)
        rate = trainer.callback_metrics.get(speed.key())
        words += [] if rate is None else [f"{float(rate):,.0f} {speed.unit}"]
        return "  ".join(words)
