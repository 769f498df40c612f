"""For ``commands.py``: print every tenth optimizer step of a Lightning training, as the peers do."""

from typing import Any

import pytorch_lightning as pl


class StepClock(pl.Callback):
    """``STEP <number> <target tokens so far>`` after the first step and every tenth one."""

    def __init__(self) -> None:
        self.tokens = 0

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.tokens += batch.tokens.numel()
        if trainer.global_step == 1 or trainer.global_step % 10 == 0:
            print(f"STEP {trainer.global_step} {self.tokens}", flush=True)
