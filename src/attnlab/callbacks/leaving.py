"""A training that a signal is to end: all of its processes leave after the same update."""

import pytorch_lightning as pl
import torch

from attnlab.interruption import LISTENER, say


class Leaving:
    """Holds signals back while a training is under way, until its state has been saved."""

    def __init__(self) -> None:
        self._wanted = False

    def begin(self) -> None:
        self._wanted = False
        LISTENER.hold(self.attend)

    def end(self) -> None:
        LISTENER.release(self.attend)

    def attend(self, signum: int) -> None:
        say("ends as soon as training is saved; the signal once more ends it at once")

    def wanted(self, trainer: pl.Trainer) -> bool:
        """Whether a signal has come to any of the processes, each of which asks at the same moment."""
        if trainer.world_size > 1:
            came = torch.tensor(float(LISTENER.pending or 0), device=trainer.strategy.root_device)
            LISTENER.pending = int(trainer.strategy.reduce(came, reduce_op="max")) or None
        self._wanted = LISTENER.pending is not None
        return self._wanted

    def leave(self) -> None:
        """What was wanted is to be done now, unless somebody decides that training goes on."""
        if self._wanted:
            self._wanted = False
            LISTENER.leave()
