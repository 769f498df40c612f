"""Lightning's handlers of signals are kept away: this notices when its insides have changed."""

import signal
import subprocess
import sys

import pytorch_lightning as pl

from attnlab.cli.processes import end_processes, leave_signals_to_us
from attnlab.interruption import LISTENER


def test_lightning_registers_nothing():
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False)
    assert hasattr(trainer._signal_connector, "register_signal_handlers")
    before = signal.getsignal(signal.SIGTERM)
    leave_signals_to_us(trainer)
    trainer._signal_connector.register_signal_handlers()
    assert signal.getsignal(signal.SIGTERM) is before
    trainer._signal_connector.teardown()
    assert not trainer.received_sigterm
    LISTENER.last_acts.clear()


def test_none_of_its_processes_stays():
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    trainer.strategy._launcher = type("Launcher", (), {"procs": [process]})()
    end_processes(trainer)
    assert process.returncode == -signal.SIGKILL
    assert trainer.strategy.launcher.procs == []
