"""A callback that only watches, and says so."""

from pathlib import Path

from pytorch_lightning.callbacks import Callback


class Onlooker(Callback):
    only_watches = True

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def on_train_end(self, trainer, pl_module) -> None:
        self.path.write_text(f"{trainer.global_step} updates\n", "utf-8")
