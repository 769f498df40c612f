"""Progress on a terminal and in a log."""

import io
import sys
from typing import Any

import pytest
from pytorch_lightning.callbacks import Callback

from attnlab.callbacks.progress import Progress
from attnlab.callbacks.throughput import Throughput


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_an_epoch(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    task = lab.task()
    trainer = lab.trainer(Throughput(), Progress(), enable_progress_bar=True)
    trainer.fit(task, task.data)
    trainer.test(task, task.data, verbose=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("epoch 1/2  step 10  train/loss ")
    assert second.startswith("epoch 2/2  step 20  train/loss ")
    for word in ("val/loss", "val/bleu", "tokens/s"):
        assert word in second
    assert "v_num" not in second


def test_an_epoch_without_a_validation_shows_none(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    task = lab.task()
    lab.trainer(Progress(), enable_progress_bar=True, max_epochs=3, check_val_every_n_epoch=2).fit(task, task.data)
    lines = capsys.readouterr().out.splitlines()
    assert ["val/loss" in line for line in lines] == [False, True, False]


def test_a_terminal_gets_a_bar(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr("attnlab.callbacks.progress.PLACE", ["[7 of 36]"])  # of a job of a multirun
    task = lab.task()
    lab.trainer(Progress(refresh_rate=1), enable_progress_bar=True, max_epochs=1).fit(task, task.data)
    assert "[7 of 36] Epoch 0: 100%" in screen.getvalue()
    assert (
        screen.getvalue().count("epoch 1/1  step 10  train/loss ") == 1
    )  # above the bar, whose numbers may be cut off


def test_a_failure_ends_the_line_of_the_bar(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of it begins a line, and no later bar is mixed up with this one."""
    written = Terminal()
    monkeypatch.setattr("sys.stdout", written)

    class Fails(Callback):
        def on_train_batch_end(self, *arguments: Any) -> None:
            raise RuntimeError("after a batch")

    task = lab.task()
    with pytest.raises(RuntimeError, match="after a batch"):
        lab.trainer(Progress(refresh_rate=1), Fails(), enable_progress_bar=True, max_epochs=1).fit(task, task.data)
    assert written.getvalue().endswith("\n")


def test_nothing_when_switched_off(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    task, progress = lab.task(), Progress()
    trainer = lab.trainer(progress, enable_progress_bar=True, max_epochs=1)
    progress.disable()  # as Lightning does in every process but the first
    trainer.fit(task, task.data)
    assert capsys.readouterr().out == ""
