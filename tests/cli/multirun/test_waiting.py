"""How a multirun is left whose jobs are elsewhere, by a launcher that waits for them."""

import signal
from types import SimpleNamespace

import pytest

from attnlab.cli.multirun.attempt import Attempt
from attnlab.cli.multirun.plan import Plan
from attnlab.cli.multirun.running import run_jobs
from attnlab.interruption import LISTENER, Interrupted


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_launcher_gets_what_python_raises(name, tmp_path):
    """Ray's ``get`` looks for signals from compiled code, which hands on KeyboardInterrupt and swallows all else."""
    came, signum = [], getattr(signal, name)

    def wait():
        try:
            signal.raise_signal(signum)
        except BaseException as error:
            came.append(type(error))
            raise KeyboardInterrupt from None  # Ray's own

    job = SimpleNamespace(attempt=Attempt(tmp_path, plan=Plan(elsewhere=True)), command=SimpleNamespace(resumes=False))
    with pytest.raises(Interrupted) as caught, LISTENER.listening():
        run_jobs(job, wait)
    assert came == [KeyboardInterrupt]
    assert caught.value.signum == signum
