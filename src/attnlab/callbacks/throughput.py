"""What training costs: units per second, seconds, share of the machine's peak, peak memory."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks.gemm_peak import peak
from attnlab.metrics.quantities.costs import training_speed
from attnlab.models.flops import NOTHING, Moments, Work
from attnlab.ranges import PathText
from attnlab.tasks.base import task_of

MIB = 2**20


class Throughput(Callback):
    """Measure training, without what surrounds it (validation, search, figures, checkpoints).

    Units are the task's: of a translation real target tokens, end-of-sentence counted, padding not. The clock runs
    from the start of an epoch to its end, loading of batches included, and stands still during validation. A GPU is
    waited for only when the clock stops, never in a step.

    ``train/mfu``, of a task that counts its work, is the model FLOPs utilization (Chowdhery et al. 2022, PaLM,
    appendix B): the FLOPs that the real units need by the model's shapes (``models/flops``), a second, over the peak
    of the machine's matrix products in the trainer's precision (``gemm_peak``), of all devices. Both are found when
    the first epoch has ended, which takes some tenths of a second while the clock stands still.

    Args:
        cache: folder that keeps the highest peak seen on this machine; null measures it for this run alone.

    Attributes:
        units: seen so far by all processes, earlier parts of a resumed training included.
        seconds: spent on them.
        peak_memory: MiB; of the GPU the most that torch had allocated, else the most that the process had
            resident; the most of any part of a resumed training.
    """

    only_watches = True

    def __init__(self, cache: PathText | None = None) -> None:
        self.cache = None if cache is None else Path(cache)
        self.units, self.seconds, self.peak_memory = 0, 0.0, 0.0
        self._moments: Moments | None = None  # of this process since the clock was last read
        self._trained = NOTHING  # of all processes, like units
        self._work: Work | None = None
        self._peak = 0.0  # FLOP/s of all devices
        self._counted = 0  # units of this process when the clock was last read
        self._started: float | None = None
        self._epoch = (0, 0.0, NOTHING)  # units, seconds and moments when the epoch began

    @property
    def rate(self) -> float | None:
        """Units per second over the whole training."""
        return self.units / self.seconds if self.seconds else None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, those of the epoch that is running included."""
        return self.seconds + self._running()

    @property
    def mfu(self) -> float | None:
        """Model FLOPs utilization over the whole training."""
        return self._utilization(self._trained, self.seconds)

    def _utilization(self, trained: Moments, seconds: float) -> float | None:
        return self._work.of(trained) / seconds / self._peak if self._work and seconds and self._peak else None

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        units, sums = self._everywhere(trainer, pl_module)
        checkpoint["throughput"] = {
            "units": self.units + units,
            "seconds": self.elapsed,
            "moments": self._trained + sums,
            "peak_memory": max(self.peak_memory, peak_memory(trainer.strategy.root_device)),
        }

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if trainer.state.fn == "fit" and "throughput" in checkpoint:  # not loaded to be tested
            before = checkpoint["throughput"]
            self.units, self.seconds = before.get("units", before.get("tokens", 0)), before["seconds"]
            self._trained = before.get("moments", NOTHING)
            self._epoch = self.units, self.seconds, self._trained
            self.peak_memory = before.get("peak_memory", 0.0)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":
            self.units, self.seconds, self.peak_memory = 0, 0.0, 0.0
            self._counted = units_of(pl_module)
            self._moments, self._trained, self._work = None, NOTHING, None
            self._epoch = (0, 0.0, NOTHING)
            reset_peak_memory(trainer.strategy.root_device)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start()  # a training resumed within an epoch has no start of that epoch

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        new = task_of(pl_module).moments(batch)  # stays on the GPU
        if new is not None:
            self._moments = new if self._moments is None else self._moments + new

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._start()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop(pl_module)
        units, sums = self._everywhere(trainer, pl_module)
        self.units, self._trained = self.units + units, self._trained + sums
        self._counted, self._moments = units_of(pl_module), None
        units, seconds = self.units - self._epoch[0], self.seconds - self._epoch[1]
        trained = self._trained - self._epoch[2]
        self._epoch = self.units, self.seconds, self._trained
        pl_module.log(rate_key(pl_module), units / seconds)
        if self._work is None and (work := task_of(pl_module).work()) is not None:
            self._work = work
            numbers = precision(str(trainer.precision))
            self._peak = trainer.world_size * peak(pl_module.device, numbers, self.cache, self.seconds)
        if self._work is not None:
            pl_module.log("train/mfu", self._utilization(trained, seconds) or 0.0)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.peak_memory = max(self.peak_memory, peak_memory(pl_module.device))

    def leave_out(self, seconds: float) -> None:
        """Not spent on this training, although its clock runs."""
        if self._started is not None:
            self._started += seconds

    def _start(self) -> None:
        self._started = time.perf_counter()

    def _stop(self, pl_module: pl.LightningModule) -> None:
        if self._started is not None:
            if pl_module.device.type == "cuda":
                torch.cuda.synchronize(pl_module.device)
            self.seconds += self._running()
            self._started = None

    def _everywhere(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> tuple[int, Moments]:
        """The counts of all processes since they were last added up."""
        device = trainer.strategy.root_device
        counted = torch.tensor(units_of(pl_module) - self._counted, device=device)
        moments = NOTHING.to(device) if self._moments is None else self._moments
        # Of a clone: several processes write the sum into what they are given.
        units, sums = (trainer.strategy.reduce(number.clone(), reduce_op="sum") for number in (counted, moments))
        return int(units), sums.cpu()

    def _running(self) -> float:
        return 0.0 if self._started is None else time.perf_counter() - self._started


def units_of(task: pl.LightningModule) -> int:
    """That a task has been trained on, in this process."""
    return task_of(task).units


def rate_key(task: pl.LightningModule) -> str:
    """``train/target_tokens_per_second``."""
    return training_speed(task_of(task).unit).key()


def precision(name: str) -> torch.dtype:
    """The type of the numbers in the products of a Lightning precision: ``bf16-mixed``, ``32-true``, …"""
    known = {"bf16": torch.bfloat16, "16": torch.float16, "64": torch.float64}
    return known.get(name.partition("-")[0], torch.float32)


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
