"""The two checkpoints of a run: ``best.ckpt`` by a monitored quantity, ``last.ckpt`` to go on from."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_only, rank_zero_warn

from attnlab.callbacks.atomic import replacing
from attnlab.callbacks.leaving import Leaving
from attnlab.metrics.quantities import mode_of
from attnlab.ranges import OneOrMore


class Checkpoints(ModelCheckpoint):
    """Keep the best and the last state of a training.

    ``best.ckpt`` is judged after every validation. ``last.ckpt`` is written after every epoch and, on
    request, every so many optimizer steps; training continued from it goes on exactly where it stopped
    (:mod:`attnlab.callbacks.random_state`). A signal that ends the command does so when it has been written.

    Args:
        directory: where the two files go.
        monitor: the logged quantity that says which state is best.
        mode: whether more of it is better (``max``) or less (``min``); null for a quantity of the laboratory's,
            which says so itself (:mod:`attnlab.metrics.quantities`).
        every_n_steps: write ``last.ckpt`` this often within an epoch, too.

    Raises:
        ConfigError: the mode is the wrong way round, or missing for a quantity of the user's own.
    """

    def __init__(
        self,
        directory: str,
        monitor: str = "val/bleu",
        mode: Literal["min", "max"] | None = None,
        every_n_steps: OneOrMore | None = None,
    ) -> None:
        super().__init__(
            dirpath=directory,
            filename="best",
            monitor=monitor,
            mode=mode_of(monitor, mode, "checkpoints"),
            auto_insert_metric_name=False,
            enable_version_counter=False,
            save_on_train_epoch_end=False,  # after validation, so that last.ckpt knows of the new best
        )
        self.every_n_steps = every_n_steps
        self._due = False  # a step checkpoint that waits for a validation to end
        self._saved = -1  # the update after which last.ckpt was written
        self._plateau: dict[int, float] = {}
        self._leaving = Leaving()
        self.ended_after = 0  #: epochs of a training that is resumed after it was stopped, else 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        accumulating = (batch_idx + 1) % trainer.accumulate_grad_batches != 0
        if trainer.is_last_batch or accumulating:
            return  # the end of the epoch writes one anyway
        stopping = trainer.should_stop or trainer.global_step == trainer.max_steps or self._leaving.wanted(trainer)
        if stopping or (self.every_n_steps is not None and trainer.global_step % self.every_n_steps == 0):
            # A checkpoint taken before a validation would lose that validation: Lightning skips it on resume.
            self._due = validates_after(trainer, batch_idx)
            if not self._due:
                self.save_last_state(trainer)
                self._leaving.leave()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        if self._due or (trainer.should_stop and not trainer.is_last_batch):
            self._due = False
            self.save_last_state(trainer)
            self._leaving.leave()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        if trainer.is_last_batch or self._saved != trainer.global_step:
            # Else max_steps or max_time cut the epoch short, and what was saved then knows where.
            self._plateau = plateau_readings(trainer)
            self.save_last_state(trainer)
            self._plateau = {}
        if self._leaving.wanted(trainer):
            self._leaving.leave()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning shows plateau schedules the end of an epoch after its checkpoint is written: make up for it."""
        super().on_train_start(trainer, pl_module)
        for number, reading in self._plateau.items():
            trainer.lr_scheduler_configs[number].scheduler.step(reading)  # type: ignore[arg-type]
        self._plateau = {}
        self._leaving.begin()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        super().on_exception(trainer, pl_module, exception)
        self._leaving.end()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Without any validation the last state is the best one known."""
        self._leaving.end()
        if not self.best_model_path:
            assert self.dirpath is not None
            self.best_model_path = str(Path(self.dirpath) / "best.ckpt")
            trainer.save_checkpoint(self.best_model_path, weights_only=False)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["ended_after"] = trainer.current_epoch + 1 if trainer.should_stop else 0

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """A training that was stopped early is over, also for one who goes on with it in the same place.

        Lightning forgets that, and would train on when a run is resumed that was killed while it was tested.
        In another folder, and so by another run, it can be prolonged.
        """
        path = trainer.ckpt_path
        if trainer.state.fn == "fit" and path is not None and self.dirpath is not None:
            here = Path(path).resolve().parent == Path(self.dirpath).resolve()
            self.ended_after = int(checkpoint.get("ended_after", 0)) if here else 0
            trainer.should_stop = self.ended_after > 0

    def save_last_state(self, trainer: pl.Trainer) -> None:
        assert self.dirpath is not None
        self.last_model_path = str(Path(self.dirpath) / "last.ckpt")
        trainer.save_checkpoint(self.last_model_path, weights_only=False)
        self._saved = trainer.global_step

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "plateau": dict(self._plateau)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on in a new run directory, too: it gets a copy of the best checkpoint so far, and its score."""
        assert self.dirpath is not None
        self._plateau = dict(state_dict["plateau"])
        best, here = Path(state_dict["best_model_path"]), Path(self.dirpath)
        if state_dict["dirpath"] == self.dirpath:
            super().load_state_dict(state_dict)
        elif best.is_file():
            _copy(best, here / best.name)
            super().load_state_dict(_moved(state_dict, here))
        elif str(best) != ".":
            rank_zero_warn(f"the best checkpoint so far, {best}, is gone: the next validation counts as the best again")


def validates_after(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether Lightning validates after this batch, given that it is not the last of its epoch."""
    every, epochs = trainer.val_check_batch, trainer.check_val_every_n_epoch
    if every is None or every == float("inf") or not trainer.enable_validation:
        return False
    if trainer.should_stop:
        return epochs is None or (trainer.current_epoch + 1) % epochs == 0
    if epochs is None:  # batches are counted over all epochs
        return bool((trainer.fit_loop.total_batch_idx + 1) % every == 0)
    return bool((trainer.current_epoch + 1) % epochs == 0 and (batch_idx + 1) % every == 0)


def plateau_readings(trainer: pl.Trainer) -> dict[int, float]:
    """What the plateau schedules are about to be shown at the end of this epoch, by their place in the trainer."""
    return {
        number: float(trainer.callback_metrics[schedule.monitor])
        for number, schedule in enumerate(trainer.lr_scheduler_configs)
        if schedule.reduce_on_plateau
        and schedule.interval == "epoch"
        and schedule.monitor in trainer.callback_metrics
        and (trainer.current_epoch + 1) % schedule.frequency == 0
    }


def _moved(state: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    def move(path: str) -> str:
        return str(directory / Path(path).name) if path else ""

    return {
        **state,
        "dirpath": str(directory),
        "best_model_path": move(state["best_model_path"]),
        "kth_best_model_path": move(state["kth_best_model_path"]),
        "last_model_path": move(state["last_model_path"]),
        "best_k_models": {move(path): score for path, score in state["best_k_models"].items()},
    }


@rank_zero_only
def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
