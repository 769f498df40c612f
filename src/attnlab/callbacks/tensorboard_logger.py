"""TensorBoard, an extra."""

from importlib.util import find_spec

from pytorch_lightning.loggers import TensorBoardLogger as LightningTensorBoardLogger

from attnlab.ranges import PathText
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
