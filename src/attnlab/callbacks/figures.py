"""Pictures for the dashboards that can show them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawn = tuple[Path, "Figure"]  #: where it lies, and as it was drawn


def publish(trainer: pl.Trainer, folder: str, drawn: Iterable[Drawn]) -> None:
    """Hand figures to the loggers, as ``<folder>/<name of the file>``: one panel each, W&B lays out a list alike."""
    for path, figure in drawn:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_figure(f"{folder}/{path.stem}", figure, trainer.global_step, close=False)
        publish_files(trainer, {f"{folder}/{path.stem}": path}, WandbLogger)


def publish_files(
    trainer: pl.Trainer, pictures: Mapping[str, Path], to: type | tuple[type, ...] = (WandbLogger, TensorBoardLogger)
) -> None:
    """Hand pictures that lie in files to such loggers, by what they are called there."""
    for logger in (logger for logger in trainer.loggers if isinstance(logger, to)):
        for name, path in pictures.items():
            if isinstance(logger, WandbLogger):
                logger.log_image(name, [str(path)], step=trainer.global_step)
            elif isinstance(logger, TensorBoardLogger):
                from matplotlib.image import imread

                logger.experiment.add_image(name, imread(path), trainer.global_step, dataformats="HWC")
