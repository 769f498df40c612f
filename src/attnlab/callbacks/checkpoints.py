"""The checkpoints of a run: ``best.ckpt`` by a monitored quantity, ``last.ckpt`` to go on from."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_only, rank_zero_warn

from attnlab.atomic import replacing
from attnlab.callbacks.checkpoint_files import BEST, LAST, damage, load, whole
from attnlab.callbacks.leaving import Leaving
from attnlab.metrics.registry import mode_of
from attnlab.private.lightning import mend
from attnlab.ranges import OneOrMore, PathText


class Checkpoints(ModelCheckpoint):
    """Keep the best and the last state of a training.

    ``best.ckpt`` is judged after every validation. ``last.ckpt`` is written after every epoch and, on
    request, every so many optimizer steps; training continued from it goes on exactly where it stopped
    (:mod:`attnlab.callbacks.random_state`). The one before it stays as ``last-1.ckpt``, in case it is damaged. A signal
    that ends the command does so when it has been written.

    Args:
        directory: where the two files go.
        monitor: the logged quantity that says which state is best.
        mode: whether more of it is better (``max``) or less (``min``); null for a quantity of the laboratory's,
            which says so itself (:mod:`attnlab.metrics.registry`).
        every_n_steps: write ``last.ckpt`` this often within an epoch, too.

    Raises:
        ConfigError: the mode is the wrong way round, or missing for a quantity of the user's own.
    """

    def __init__(
        self,
        directory: PathText,
        monitor: str,
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
        self._metrics: dict[str, float] = {}  # of the checkpoint that was loaded, as long as they are to be handed on
        self._places: list[Path] = []  # where the best checkpoint of the training that goes on may be
        self._lost = False  # it was not there, or damaged
        self.ended_after = 0  #: epochs of a training that was over before it was resumed, else 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        if stage == "fit":
            self.ended_after = 0
            mend(trainer)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What was measured last is read by plateau schedules and the history, however long ago that was."""
        read = {name: torch.tensor(value, dtype=torch.float64) for name, value in self._metrics.items()}
        trainer.callback_metrics.update(read)
        self._metrics = {}

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
                self._plateau = plateau_readings(trainer, "step", batch_idx + 1)
                self.save_last_state(trainer)
                self._plateau = {}
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
            self._plateau = plateau_readings(trainer, "epoch", trainer.current_epoch + 1)
            self.save_last_state(trainer)
            self._plateau = {}
        if self._leaving.wanted(trainer):
            self._leaving.leave()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning shows plateau schedules what they watch after the checkpoint is written: make up for it."""
        super().on_train_start(trainer, pl_module)
        self.ended_after = 0
        for number, reading in self._plateau.items():
            trainer.lr_scheduler_configs[number].scheduler.step(reading)  # type: ignore[arg-type]
        self._plateau = {}
        self._leaving.begin()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        super().on_exception(trainer, pl_module, exception)
        self._leaving.end()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._leaving.end()

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Without any validation the last state is the best one known."""
        assert self.dirpath is not None
        last = Path(self.dirpath) / LAST
        if not self.best_model_path and trainer.strategy.broadcast(last.is_file()):
            if self._lost:
                rank_zero_warn(f"there was no validation since: the last state takes the place of {BEST}")
            self.best_model_path = str(last.with_name(BEST))
            _copy(last, last.with_name(BEST))

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["ended_after"] = trainer.current_epoch + 1 if trainer.should_stop else 0
        checkpoint["callback_metrics"] = {name: float(value) for name, value in trainer.callback_metrics.items()}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """A training that was stopped early is over, also for one who goes on with it.

        Lightning forgets that, and would train on when a run is resumed that was killed while it was tested. It can be
        prolonged with more patience (:mod:`attnlab.callbacks.new_settings`), and, where something else than early
        stopping stopped it, in another folder.
        """
        path = trainer.ckpt_path
        self._places, self._lost = [], False
        if trainer.state.fn != "fit" or path is None or self.dirpath is None:
            return
        here = Path(path).resolve().parent == Path(self.dirpath).resolve()
        trainer.should_stop = checkpoint.get("ended_after", 0) > 0 and (here or stopped_early(trainer, checkpoint))
        self.ended_after = int(checkpoint["epoch"]) + 1  # unless it goes on: then Lightning counts
        self._metrics = dict(checkpoint.get("callback_metrics", {}))
        self._places = list(dict.fromkeys((Path(path).parent, Path(path).resolve().parent, Path(self.dirpath))))
        if not (Path(self.dirpath) / LAST).is_file():
            _copy(whole(Path(path)), Path(self.dirpath) / LAST)

    def save_last_state(self, trainer: pl.Trainer) -> None:
        assert self.dirpath is not None
        self.last_model_path = str(Path(self.dirpath) / LAST)
        trainer.save_checkpoint(self.last_model_path, weights_only=False)
        self._saved = trainer.global_step

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "plateau": dict(self._plateau)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on in a new, renamed or copied folder, too: the best checkpoint lies beside the one that was loaded.

        Where it was when that was written is of no interest: the run may go on there.
        """
        if not self._places:  # loaded to be tested
            return
        assert self.dirpath is not None
        self._plateau = dict(state_dict["plateau"])
        if not state_dict["best_model_path"]:
            return
        found = next((place / BEST for place in self._places if (place / BEST).is_file()), None)
        fault = "gone" if found is None else damage(found)
        if found is None or fault is not None:
            rank_zero_warn(
                f"the best checkpoint so far, {found or self._places[0] / BEST}, is "
                f"{'' if found is None else 'damaged: '}{fault}: the next validation counts as the best again"
            )
            self._lost = True
            return
        best = Path(self.dirpath) / BEST
        if not (best.is_file() and best.samefile(found)):
            _copy(found, best)
        # A kill comes between the best and the last one: the score is the one that belongs to the weights.
        own = load(found).get("callbacks", {}).get(self.state_key, state_dict)
        self.current_score = own["current_score"]  # which Lightning saves and does not load
        super().load_state_dict(_here(own, best))


def stopped_early(trainer: pl.Trainer, checkpoint: Mapping[str, Any]) -> bool:
    """Whether it was early stopping that ended the training of a checkpoint."""
    states = checkpoint.get("callbacks", {})
    return any(
        states.get(callback.state_key, {}).get("stopping_reason", "not_stopped") != "not_stopped"
        for callback in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(callback, EarlyStopping)
    )


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


def plateau_readings(trainer: pl.Trainer, interval: Literal["step", "epoch"], count: int) -> dict[int, float]:
    """What the plateau schedules are about to be shown after so many steps or epochs, by their place in the trainer."""
    return {
        number: float(trainer.callback_metrics[schedule.monitor])
        for number, schedule in enumerate(trainer.lr_scheduler_configs)
        if schedule.reduce_on_plateau
        and schedule.interval == interval
        and schedule.monitor in trainer.callback_metrics
        and count % schedule.frequency == 0
    }


def _here(state: Mapping[str, Any], best: Path) -> dict[str, Any]:
    """The state of a callback whose one best checkpoint is this file, whatever folder it was in."""
    return {
        **state,
        "dirpath": str(best.parent),
        "best_model_path": str(best),
        "kth_best_model_path": str(best) if state["kth_best_model_path"] else "",
        "last_model_path": str(best.with_name(LAST)),
        "best_k_models": {str(best): score for score in state["best_k_models"].values()},
    }


@rank_zero_only
def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
