"""A callback that sends its own process a signal at a chosen moment: what a user, a cluster, a terminal does."""

import os
import signal
from pathlib import Path

from pytorch_lightning.callbacks import Callback


class Send(Callback):
    """Args: the name of the signal, the hook, the update from which on, and a file: with it, it is sent only once."""

    def __init__(self, name: str, hook: str, step: int = 0, once: str | None = None) -> None:
        self.signum, self.hook, self.step = getattr(signal, name), hook, step
        self.once = Path(once) if once else None

    def _send(self, hook, trainer):
        if hook != self.hook or trainer.global_step < self.step or (self.once and self.once.exists()):
            return
        if self.once:
            self.once.touch()
        self.hook = ""
        os.kill(os.getpid(), self.signum)

    def setup(self, trainer, pl_module, stage):
        self._send("setup", trainer)

    def on_train_start(self, trainer, pl_module):
        self._send("on_train_start", trainer)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self._send("on_train_batch_start", trainer)

    def on_validation_start(self, trainer, pl_module):
        self._send("on_validation_start", trainer)

    def on_test_start(self, trainer, pl_module):
        self._send("on_test_start", trainer)

    def on_test_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self._send("on_test_batch_start", trainer)

    def on_test_end(self, trainer, pl_module):
        self._send("on_test_end", trainer)

    def on_sanity_check_start(self, trainer, pl_module):
        self._send("on_sanity_check_start", trainer)

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self._send("on_validation_batch_start", trainer)

    def on_validation_end(self, trainer, pl_module):
        self._send("on_validation_end", trainer)

    def on_fit_end(self, trainer, pl_module):
        self._send("on_fit_end", trainer)
