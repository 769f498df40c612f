"""What training costs: target tokens per second, seconds, peak memory."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from attnlab.types import Batch

MIB = 2**20


class Throughput(Callback):
    """Measure training, without what surrounds it (validation, search, figures, checkpoints).

    Tokens are real target tokens, end-of-sentence counted, padding not. The clock runs from the start of an
    epoch to its end, loading of batches included, and stands still during validation. A GPU is waited for
    only when the clock stops, never in a step.

    Attributes:
        tokens: seen so far by all processes, earlier parts of a resumed training included.
        seconds: spent on them.
        peak_memory: MiB; of the GPU the most that torch had allocated, else the most that the process had
            resident; the most of any part of a resumed training.
    """

    def __init__(self) -> None:
        self.tokens, self.seconds, self.peak_memory = 0, 0.0, 0.0
        self._counted = 0  # by this process since the clock was last read
        self._started: float | None = None
        self._epoch = (0, 0.0)  # tokens and seconds when the epoch began

    @property
    def rate(self) -> float | None:
        """Target tokens per second over the whole training."""
        return self.tokens / self.seconds if self.seconds else None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, those of the epoch that is running included."""
        return self.seconds + self._running()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        tokens, seconds = self.tokens + self._everywhere(trainer), self.elapsed
        peak = max(self.peak_memory, peak_memory(trainer.strategy.root_device))
        checkpoint["throughput"] = {"tokens": tokens, "seconds": seconds, "peak_memory": peak}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn == "fit" and "throughput" in checkpoint:  # not loaded to be tested
            before = checkpoint["throughput"]
            self.tokens, self.seconds = self._epoch = before["tokens"], before["seconds"]
            self.peak_memory = before.get("peak_memory", 0.0)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            self.tokens, self.seconds, self._counted, self._epoch, self.peak_memory = 0, 0.0, 0, (0, 0.0), 0.0
            reset_peak_memory(trainer.strategy.root_device)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start()  # a training resumed within an epoch has no start of that epoch

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self._counted += batch.tokens.numel()  # a shape: known without asking the GPU

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._start()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop(pl_module)
        self.tokens += self._everywhere(trainer)
        self._counted = 0
        tokens, seconds = self.tokens - self._epoch[0], self.seconds - self._epoch[1]
        self._epoch = self.tokens, self.seconds
        pl_module.log("train/target_tokens_per_second", tokens / seconds)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.peak_memory = max(self.peak_memory, peak_memory(pl_module.device))

    def _start(self) -> None:
        self._started = time.perf_counter()

    def _stop(self, pl_module: pl.LightningModule) -> None:
        if self._started is not None:
            if pl_module.device.type == "cuda":
                torch.cuda.synchronize(pl_module.device)
            self.seconds += self._running()
            self._started = None

    def _everywhere(self, trainer: pl.Trainer) -> int:
        """The count of all processes since it was last added up."""
        counted = torch.tensor(self._counted, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(counted, reduce_op="sum"))

    def _running(self) -> float:
        return 0.0 if self._started is None else time.perf_counter() - self._started


def reset_peak_memory(device: torch.device) -> None:
    """Forget earlier peaks, so that each job of a multirun in one process has its own.

    Only Linux can forget that of the process; elsewhere it is the highest since the process began.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory(device: torch.device) -> float:
    """MiB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MIB
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
