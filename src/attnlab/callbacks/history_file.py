"""The learning curve of a run, as a file that needs no logger to be read."""

import json
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from attnlab.atomic import append, replacing
from attnlab.callbacks.throughput import Throughput
from attnlab.ranges import PathText
from attnlab.strict_json import dumps

Point = dict[str, int | float | None]


class HistoryFile(Callback):
    """Write ``history.jsonl``: a line every ``trainer.log_every_n_steps`` updates and at every validation.

    A line has ``step`` (updates so far), ``epoch`` (from 0), ``seconds`` (of training so far by the clock of
    :class:`~attnlab.callbacks.throughput.Throughput`, validation not counted; null without that callback),
    ``learning_rate`` and ``train/loss`` (of the last update, in nats a token), and after a validation what it
    measured, ``val/…``. A number that is not finite is null.

    The lines so far are part of every checkpoint: a resumed training goes on from them, in another folder too,
    and lines behind the checkpoint that it starts from are dropped.

    Args:
        path: of the file.
    """

    only_watches = True

    def __init__(self, path: PathText) -> None:
        self.path = Path(path)
        self.points: list[Point] = []
        self._step = -1  # the update after which a line was last written

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["history"] = [dict(point) for point in self.points]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn == "fit":  # not loaded to be tested
            self.points = list(checkpoint["history"]) if "history" in checkpoint else self._written(checkpoint)
            self._step = int(self.points[-1]["step"] or 0) if self.points else -1

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            self.points, self._step = [], -1

    def _written(self, checkpoint: dict[str, Any]) -> list[Point]:
        """The lines of the file as far as the checkpoint goes, for one that has none; torn ones are left out."""
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else ""
        points = filter(None, map(_point, text.splitlines()))
        return [point for point in points if (point["step"] or 0) <= checkpoint["global_step"]]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Whatever a kill has left in the file, a torn last line too, makes way for what the checkpoint knows."""
        if trainer.is_global_zero:
            with replacing(self.path) as temporary:
                temporary.write_text("".join(map(_line, self.points)), encoding="utf-8")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step, every = trainer.global_step, trainer.log_every_n_steps  # type: ignore[attr-defined]
        if step != self._step and every and step % every == 0:
            self._step = step
            self.add(trainer, {})

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.add(trainer, {k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("val/")})

    def add(self, trainer: pl.Trainer, values: Point) -> None:
        """Note where training is, with these values."""
        clock = next((item for item in trainer.callbacks if isinstance(item, Throughput)), None)  # type: ignore[attr-defined]
        loss = trainer.callback_metrics.get("train/loss")
        point: Point = {"step": trainer.global_step, "epoch": trainer.current_epoch}
        point["seconds"] = None if clock is None else round(clock.elapsed, 3)
        groups = trainer.optimizers[0].param_groups  # none where a model is fitted at once
        point |= {"learning_rate": float(groups[0]["lr"])} if groups else {}
        point |= {} if loss is None else {"train/loss": float(loss)}
        self.points.append({**point, **values})
        if trainer.is_global_zero:
            append(self.path, _line(self.points[-1]))


def _line(point: Point) -> str:
    return dumps(point) + "\n"


def _point(line: str) -> Point | None:
    """None for a line that is none: torn, or overwritten."""
    try:
        point = json.loads(line)
    except ValueError:
        return None
    return point if isinstance(point, dict) and isinstance(point.get("step"), int) else None
