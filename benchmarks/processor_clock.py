"""A callback that adds up the processor's seconds of training steps; see ``before_after.py``."""

import time
from pathlib import Path

from pytorch_lightning.callbacks import Callback


class ProcessorClock(Callback):
    """Write down seconds a step, from the ``warm``-th on: loading, forward, backward, optimizer, logging."""

    only_watches = True

    def __init__(self, path: str, warm: int = 20) -> None:
        self.path, self.warm, self.start, self.first = Path(path), warm, 0.0, 0

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if trainer.global_step == self.warm:
            self.start, self.first = time.process_time(), trainer.global_step
        elif trainer.global_step == trainer.max_steps:
            self.path.write_text(str((time.process_time() - self.start) / (trainer.global_step - self.first)), "utf-8")
