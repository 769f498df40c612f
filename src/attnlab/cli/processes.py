"""Lightning's hold on signals and on the processes that it starts; its insides are touched here and nowhere else."""

import signal
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import Any

import pytorch_lightning as pl

from attnlab.interruption import LISTENER

GRACE = 10.0  # seconds for processes that have been told to leave by their training


def leave_signals_to_us(trainer: pl.Trainer) -> None:
    """Keep Lightning's handlers away, and let further processes go with this one.

    Lightning 2.6 turns SIGTERM into an exit with status 0, waits within its handler for processes that may wait for
    this one, and on SLURM puts a job in line again that the launcher puts in line again itself. Where its insides
    change, our handlers are called after its own.
    """
    connector: Any = getattr(trainer, "_signal_connector", None)
    if hasattr(connector, "register_signal_handlers"):
        connector.register_signal_handlers = lambda: None
    LISTENER.last_acts[:] = [lambda: kill(children(trainer))]


def children(trainer: pl.Trainer) -> list[Any]:
    """Processes that Lightning has started for this training, each a ``subprocess.Popen``."""
    found: list[Any] = getattr(trainer.strategy.launcher, "procs", [])
    return found


def end_processes(trainer: pl.Trainer) -> None:
    """After a failure: leave none of the processes behind, and nobody who would end this one for theirs."""
    started = children(trainer)
    if LISTENER.pending is not None:  # they may be leaving by themselves
        for process in started:
            with suppress(TimeoutExpired):
                process.wait(GRACE if trainer.state.fn == "fit" else 0.1)
    kill(started)
    started.clear()  # Lightning watches them, and kills this process when one has ended otherwise than well


def kill(started: list[Any]) -> None:
    for process in started:
        with suppress(OSError):
            process.send_signal(signal.SIGKILL)
    for process in started:
        process.wait()
