"""What is counted, and what the clock runs for."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from attnlab.callbacks.throughput import Throughput, precision, reset_peak_memory
from attnlab.models.flops import _forward

CPU = torch.device("cpu")


class Slow(pl.Callback):
    """Validation that takes its time, and batches that do."""

    def __init__(self, validation: float = 0.0, batch: float = 0.0) -> None:
        self.validation, self.batch = validation, batch

    def on_validation_batch_end(self, *_: Any) -> None:
        time.sleep(self.validation)

    def on_train_batch_end(self, *_: Any) -> None:
        time.sleep(self.batch)


def test_validation_does_not_count(lab: Any) -> None:
    quick, slow = Throughput(), Throughput()
    for throughput, validation in ((quick, 0.0), (slow, 1.0)):  # 3 batches
        task = lab.task()
        lab.trainer(throughput, Slow(validation=validation), max_epochs=1).fit(task, task.data)
    assert quick.units == slow.units
    assert slow.seconds < quick.seconds + 2.0


def test_training_counts(lab: Any) -> None:
    throughput, task = Throughput(), lab.task()
    lab.trainer(throughput, Slow(batch=0.05), max_epochs=2).fit(task, task.data)
    assert throughput.seconds >= 20 * 0.05
    assert throughput.rate == throughput.units / throughput.seconds


def test_logged_rate_is_that_of_the_epoch(lab: Any) -> None:
    class Rates(pl.Callback):
        rates: list[float]

        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch == 1:
                time.sleep(2.0)

        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            rates.append(float(trainer.callback_metrics["train/target_tokens_per_second"]))

    rates: list[float] = []
    throughput, task = Throughput(), lab.task()
    lab.trainer(throughput, Rates(), max_epochs=3).fit(task, task.data)
    epoch_tokens = throughput.units / 3
    assert epoch_tokens / rates[1] > 2.0
    assert sum(epoch_tokens / rate for rate in rates) == pytest.approx(throughput.seconds)


def test_a_second_training_starts_at_zero(lab: Any) -> None:
    throughput = Throughput()
    for _ in range(2):
        task = lab.task()
        lab.trainer(throughput, max_epochs=1).fit(task, task.data)
    assert throughput.units == sum(len(pair.target.split()) + 1 for pair in task.data.corpus.read("train"))


# In a process of its own: this one may hold memory from earlier tests, in which a block disappears.
PEAK = """
import torch
from attnlab.callbacks.throughput import peak_memory, reset_peak_memory
device = torch.device("cpu")
reset_peak_memory(device)
values = [peak_memory(device)]
block = torch.ones(256 * 2**20 // 4)
values.append(peak_memory(device))
del block
reset_peak_memory(device)
values.append(peak_memory(device))
print(*values)
"""


def forgets() -> bool:
    """Whether this system lets a process forget its peak: some containers do not."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return False
    reset_peak_memory(CPU)
    values = dict(line.split(":", 1) for line in status.read_text("ascii", errors="replace").splitlines())
    return abs(int(values["VmHWM"].split()[0]) - int(values["VmRSS"].split()[0])) < 16 * 1024


@pytest.fixture(scope="module")
def peaks() -> list[float]:
    output = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True).stdout
    return [float(value) for value in output.split()]


def test_peak_memory_sees_a_peak(peaks: list[float]) -> None:
    before, during, _ = peaks
    assert 200 < during - before < 400


@pytest.mark.skipif(not forgets(), reason="this system does not let a process forget its peak")
def test_peak_memory_forgets_a_peak(peaks: list[float]) -> None:
    before, _, after = peaks
    assert after < before + 60


def test_utilization_is_work_over_time_over_peak(lab: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Rates(pl.Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            logged.append(float(trainer.callback_metrics["train/mfu"]))

    logged: list[float] = []
    monkeypatch.setattr("attnlab.callbacks.throughput.peak", lambda device, dtype, cache, trained: 1e9)
    throughput, task = Throughput(str(tmp_path)), lab.task()
    lab.trainer(throughput, Rates(), max_epochs=2).fit(task, task.data)
    pairs = [(len(pair.source.split()), len(pair.target.split()) + 1) for pair in task.data.corpus.read("train")]
    single = {pair: 3 * _forward(task.model, *pair, CPU) for pair in set(pairs)}
    expected = 2 * sum(single[pair] for pair in pairs) / throughput.seconds / 1e9
    assert throughput.mfu == pytest.approx(expected)
    assert len(logged) == 2
    assert min(logged) <= throughput.mfu <= max(logged)


def test_utilization_goes_on_where_a_training_stopped(lab: Any, tmp_path: Path) -> None:
    first, task = Throughput(), lab.task()
    trainer = lab.trainer(first, max_epochs=1)
    trainer.fit(task, task.data)
    trainer.save_checkpoint(tmp_path / "one.ckpt")
    second, again = Throughput(), lab.task()
    lab.trainer(second, max_epochs=2).fit(again, again.data, ckpt_path=tmp_path / "one.ckpt")
    assert second._trained.tolist() == pytest.approx((2 * first._trained).tolist())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("32-true", torch.float32),
        ("bf16-mixed", torch.bfloat16),
        ("16-mixed", torch.float16),
        ("64-true", torch.float64),
    ],
)
def test_precision_of_the_products(name: str, expected: torch.dtype) -> None:
    assert precision(name) == expected
