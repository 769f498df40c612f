"""Exponential moving average of the weights: e_1 = w_1, e_t = decay e_(t-1) + (1 - decay) w_t."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks.weight_averaging import EMAWeightAveraging

from attnlab.ranges import Fraction


class WeightAverage(EMAWeightAveraging):
    """Train as ever; validate, keep and test the average (Polyak and Juditsky 1992, with forgetting).

    A checkpoint has the average as its weights, and the weights that training goes on with beside it. Lightning's
    callback takes those again whenever a checkpoint is loaded, also to test it; this one only to go on training.

    Args:
        decay: share of the old average in the new one.
    """

    def __init__(self, decay: Fraction = 0.999) -> None:
        super().__init__(decay=decay)

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn == "fit":
            super().on_load_checkpoint(trainer, pl_module, checkpoint)
