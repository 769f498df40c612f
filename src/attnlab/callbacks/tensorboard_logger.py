"""TensorBoard, an extra."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger as LightningTensorBoardLogger

from attnlab.ranges import PathText
from attnlab.tasks.records import Table
from attnlab.types import ConfigError


class TensorBoardLogger(LightningTensorBoardLogger):
    """Event files in ``<directory>/tensorboard``.

    Raises:
        ConfigError: TensorBoard is not installed.
    """

    def __init__(self, directory: PathText) -> None:
        if find_spec("tensorboard") is None:
            raise ConfigError(
                "logger=tensorboard needs TensorBoard, which is not installed: "
                "pip install 'attnlab[tensorboard]', or choose logger=csv"
            )
        super().__init__(save_dir=directory, name="", version="tensorboard", default_hp_metric=False)

    def show_picture(self, name: str, path: Path, step: int) -> None:
        from matplotlib.image import imread

        self.experiment.add_image(name, imread(path), step, dataformats="HWC")

    def show_table(self, name: str, table: Table, step: int) -> None:
        self.experiment.add_text(name, table.markdown(), step)

    def summarize(self, metrics: Mapping[str, Any]) -> None:
        """Event files have no summary: what is measured has been logged, and the settings stand in hparams.yaml."""
