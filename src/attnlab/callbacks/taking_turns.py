"""A training that lets others have their turn."""

import time
from collections.abc import Callable
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks.throughput import Throughput
from attnlab.models.meeting import Stack
from attnlab.tasks.base import task_of


class TakingTurns(Callback):
    """End the turn of this training after every so many batches. On a CPU its clock stands still until the next one.

    Args:
        end_turn: comes back when it is this training's turn again.
        batches: of a turn.
    """

    def __init__(self, end_turn: Callable[[], None], batches: int) -> None:
        self.end_turn, self.batches = end_turn, batches

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if (batch_idx + 1) % self.batches:
            return
        left = time.perf_counter()
        self.end_turn()
        if pl_module.device.type == "cpu":  # a GPU works on what it has been handed in the turns of others, too
            for callback in trainer.callbacks:  # type: ignore[attr-defined]
                if isinstance(callback, Throughput):
                    callback.leave_out(time.perf_counter() - left)


class Meeting(Callback):
    """Make the passes of this training as one with those of others.

    Args:
        stack: where they meet.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        task = task_of(pl_module)
        task.seat = self.stack.join(cast(Any, task.model), task.cuda_graphs)
        self.stack.wait()  # until the others are here, too

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._leave(pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._leave(pl_module)

    def _leave(self, module: pl.LightningModule) -> None:
        task = task_of(module)
        if task.seat is not None:
            self.stack.leave(task.seat)
            task.seat = None
