"""My callback: the norm of the gradient at every update, before it is clipped, drawn after every epoch."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch.optim import Optimizer

from attnlab.callbacks.dashboards import show


class MyCallback(Callback):
    """Watches a training.

    Args:
        path: of the picture.
    """

    only_watches = True  # with or without it the same model is trained

    def __init__(self, path: str) -> None:
        self.path, self.norms = Path(path), list[float]()

    def on_before_optimizer_step(self, trainer: Trainer, task: LightningModule, optimizer: Optimizer) -> None:
        squares = [p.grad.norm() ** 2 for p in task.parameters() if p.grad is not None]
        self.norms.append(float(sum(squares)) ** 0.5)

    def on_train_epoch_end(self, trainer: Trainer, task: LightningModule) -> None:
        figure, axes = plt.subplots()
        axes.plot(self.norms)
        axes.set(xlabel="update", ylabel="norm of the gradient")
        figure.savefig(self.path)
        plt.close(figure)
        show(trainer, "train", [self.path])  # in whatever dashboards the run has; show_table is for tables

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: a run that goes on draws all of its updates."""
        return {"norms": self.norms}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.norms = list(state["norms"])
