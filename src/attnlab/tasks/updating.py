"""An update: the mean of its loss over all units, its gradients within bounds, and what loggers are told of it."""

from typing import Any, cast

import pytorch_lightning as pl
from torch import Tensor
from torch.optim import Optimizer

from attnlab.tasks.gradients import Watch, bound, with_gradients
from attnlab.tasks.objective import UnitMean


class Updating(pl.LightningModule):
    """Makes updates, and logs them where somebody reads that.

    Attributes:
        update: the mean over units of what is being added up.
        update_loss: the mean of the update that is being made.
        watch: is shown the gradients of every update.
        gradient_norm: before it was bounded, of an update whose numbers loggers read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.update = UnitMean()
        self.update_loss: Tensor | None = None
        self.watch: Watch | None = None
        self.gradient_norm: Tensor | None = None

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        parameters = with_gradients(optimizer)
        means = self.update.close([cast(Tensor, p.grad) for p in parameters], self.trainer.accumulate_grad_batches)
        self.update_loss = means.get("train/loss")
        if self._read_after_this_step():
            for name, mean in means.items():
                self.log(name, mean, prog_bar=name == "train/loss")
            if self.trainer.loggers and optimizer.param_groups:
                self.log("train/learning_rate", float(optimizer.param_groups[0]["lr"]))

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        norm = bound(optimizer, gradient_clip_val, gradient_clip_algorithm == "value", self.watch)
        self.gradient_norm = norm if self.trainer.loggers and self._read_after_this_step() else None

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:
        """Lightning lets nothing be logged where the gradients are clipped."""
        if self.gradient_norm is not None:
            self.log("train/gradient_norm", self.gradient_norm)
            self.gradient_norm = None

    def _read_after_this_step(self) -> bool:
        """Whether a logger, the history or the line of an epoch reads what is logged now: logging costs 1 ms."""
        every, step = cast(int, self.trainer.log_every_n_steps), self.global_step  # type: ignore[attr-defined]
        return step == 0 or self.trainer.is_last_batch or (every > 0 and (step + 1) % every == 0)
