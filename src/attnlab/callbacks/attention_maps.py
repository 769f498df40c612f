"""Attention heatmaps of a few validation sentences, drawn after each validation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

from attnlab.callbacks.atomic import replacing
from attnlab.callbacks.examples import Example, Examples, collate
from attnlab.callbacks.results import Map, save_maps
from attnlab.ranges import OneOrMore, PathText, ZeroOrMore
from attnlab.types import EOS, SPECIALS, Batch
from attnlab.viz.heads import head_grid
from attnlab.viz.heatmap import heatmap, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = tuple[Path, "Figure"]


class AttentionMaps(Callback):
    """Show how the alignment of the same sentences develops.

    The reference translation is decoded by force, so that the rows of a figure are the same words in every
    epoch. The figures go to W&B as images and to TensorBoard as figures; the last state lies in ``directory``
    as ``val_<sentence number>.png`` with the arrays behind it in ``val.npz``. Mechanisms that draw no
    alignment are passed over.

    A mechanism with several heads also gets ``val_<sentence number>_heads.png`` for the first of the sentences: what
    every head of every layer looks at.

    Args:
        directory: where figures and arrays go.
        sentences: how many, spread over the lengths of the validation sentences.
        max_length: source tokens that a figure should not exceed.
        every_n_epochs: draw only after the validations of every n-th epoch.
    """

    only_watches = True

    def __init__(
        self, directory: PathText, sentences: ZeroOrMore = 4, max_length: OneOrMore = 40, every_n_epochs: OneOrMore = 1
    ) -> None:
        self.directory = Path(directory)
        self.every_n_epochs = every_n_epochs
        self.examples = Examples(sentences, max_length)

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.is_global_zero and not trainer.sanity_checking:
            self.examples.add(batch)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        due = (trainer.current_epoch + 1) % self.every_n_epochs == 0
        if not trainer.is_global_zero or trainer.sanity_checking or not due:
            return
        maps = forced_maps(pl_module, self.examples.choose())
        if maps:
            save_maps(self.directory / "val.npz", maps)
            drawn = [self.draw(item, trainer.current_epoch) for item in maps]
            publish(trainer, drawn + self.draw_heads(pl_module, maps[0], trainer.current_epoch))

    def draw(self, item: Map, epoch: int) -> Drawn:
        title = f"validation sentence {item.number}, epoch {epoch + 1}"
        figure = heatmap(item.weights, item.source_tokens, item.target_tokens, title=title)
        return self.keep(figure, f"val_{item.number}.png")

    def draw_heads(self, task: Any, item: Map, epoch: int) -> list[Drawn]:
        """One figure of all heads, none where there are none."""
        example = next(one for one in self.examples.choose() if one.number == item.number)
        weights = task.align_by_head(collate([example], task.device))
        if weights is None:
            return []
        title = f"validation sentence {item.number}, epoch {epoch + 1}, every head"
        figure = head_grid(weights[0], item.source_tokens, item.target_tokens, title)
        return [self.keep(figure, f"val_{item.number}_heads.png")]

    def keep(self, figure: "Figure", name: str) -> Drawn:
        path = self.directory / name
        with replacing(path) as temporary:
            save(figure, temporary)
        return path, figure


def forced_maps(task: Any, examples: list[Example]) -> list[Map]:
    """The alignments of the examples with their references.

    Empty where the mechanism draws none, and where a training that diverged draws nothing but NaN.
    """
    weights = task.align(collate(examples, task.device)) if examples else None
    if weights is None:
        return []
    rows = weights.to(device="cpu", dtype=torch.float32).numpy()
    return [
        Map(
            number=item.number,
            weights=row[: len(item.target) - 1, : len(item.source)],
            source_tokens=task.data.source_tokenizer.tokens(item.source),
            target_tokens=[*task.data.target_tokenizer.tokens(item.target[1:-1]), SPECIALS[EOS]],
        )
        for item, row in zip(examples, rows, strict=True)
        if np.isfinite(row).all()
    ]


def publish(trainer: pl.Trainer, drawn: list[Drawn]) -> None:
    """Hand the figures to the loggers that can show them."""
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            for path, _ in drawn:  # one panel each: W&B lays out a list as if all were of one size
                logger.log_image(f"val/attention/{path.stem}", [str(path)], step=trainer.global_step)
        elif isinstance(logger, TensorBoardLogger):
            for path, figure in drawn:
                name = f"val/attention/{path.stem}"
                logger.experiment.add_figure(name, figure, trainer.global_step, close=False)
