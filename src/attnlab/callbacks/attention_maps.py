"""Attention heatmaps of a few validation items, drawn after each validation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks.dashboards import show
from attnlab.callbacks.examples import examples
from attnlab.ranges import OneOrMore, PathText, ZeroOrMore
from attnlab.runs.writing import TRAINING, Map, save_maps
from attnlab.tasks.base import Task, task_of
from attnlab.viz.heads import head_grid
from attnlab.viz.heatmap import save
from attnlab.viz.picture import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class AttentionMaps(Callback):
    """Show how the attention in the same items develops.

    Of a translation the reference is decoded by force, so that the rows of a figure are the same words in every
    epoch. The figures go to dashboards (W&B, TensorBoard, MLflow); the last state lies in ``directory``
    as ``val_<number>.png`` with the arrays behind it in ``val.npz``; gold links are framed. Mechanisms that draw no
    alignment are passed over.

    What was looked at after each validation is kept in ``training/<update>.npz``, for a slider in the viewer and for
    films. A training that goes on keeps what was recorded up to where it goes on.

    A mechanism with several heads also gets ``val_<number>_heads.png`` for the first of the items: what
    every head of every layer looks at.

    Args:
        directory: where figures and arrays go.
        sentences: how many items, spread over the lengths of the validation split.
        max_length: of an item (source tokens of a sentence) that a figure should not exceed.
        every_n_epochs: draw only after the validations of every n-th epoch.
        record: whether the arrays of every validation are kept.
    """

    only_watches = True

    def __init__(
        self,
        directory: PathText,
        sentences: ZeroOrMore = 4,
        max_length: OneOrMore = 40,
        every_n_epochs: OneOrMore = 1,
        record: bool = True,
    ) -> None:
        self.directory, self.record = Path(directory), record
        self.every_n_epochs = every_n_epochs
        self.sentences, self.max_length = sentences, max_length

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What an interrupted training had recorded after the checkpoint that it goes on from is made anew."""
        if trainer.is_global_zero:
            for path in (self.directory / TRAINING).glob("*.npz"):
                if path.stem.isdecimal() and int(path.stem) > trainer.global_step:
                    path.unlink()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        if not trainer.is_global_zero or trainer.sanity_checking or not due:
            return
        task = task_of(pl_module)
        batch = examples(task, self.sentences, self.max_length)
        maps = [] if batch is None else task.maps(batch)
        if maps:
            save_maps(self.directory / "val.npz", maps)
            if self.record and trainer.state.fn == "fit":
                moment = trainer.current_epoch + 1, trainer.global_step
                save_maps(self.directory / TRAINING / f"{trainer.global_step:09d}.npz", maps, moment)
            show(
                trainer,
                "val/attention",
                [
                    *(self.draw(item, title(task, item, trainer.current_epoch)) for item in maps),
                    *self.draw_heads(maps[0], title(task, maps[0], trainer.current_epoch)),
                ],
            )

    def draw(self, item: Map, title: str) -> Path:
        return self.keep(picture(**item.drawn(title)), f"val_{item.number}.png")

    def draw_heads(self, item: Map, title: str) -> list[Path]:
        """One figure of all heads, none where there are none."""
        if item.heads is None:
            return []
        figure = head_grid(item.heads, item.columns, item.rows, f"{title}, every head")
        return [self.keep(figure, f"val_{item.number}_heads.png")]

    def keep(self, figure: "Figure", name: str) -> Path:
        path = self.directory / name
        save(figure, path)
        return path


def title(task: Task[Any], item: Map, epoch: int) -> str:
    return f"validation {task.words.item} {item.number}, epoch {epoch + 1}"
