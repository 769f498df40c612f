"""What a process does about signals, without a training around it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from attnlab.interruption import LISTENER, Interrupted

PATIENT = """
import time
from attnlab.interruption import LISTENER
with LISTENER.listening(), LISTENER.holding():
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_second_signal_leaves_at_once(name):
    signum = getattr(signal, name)
    with subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        for _ in range(2):  # one signal to the process and one to its group are one
            process.send_signal(signum)
            time.sleep(0.05)
        time.sleep(0.5)
        assert process.poll() is None, "it did not wait for what holds it"
        process.send_signal(signum)
        assert process.wait(10) == 128 + signum


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP"])
def test_a_signal_ends_what_nobody_holds(name):
    signum = getattr(signal, name)
    if signal.getsignal(signum) is signal.SIG_IGN:  # the tests run under nohup
        signal.signal(signum, signal.SIG_DFL)
    before = signal.getsignal(signum)

    def work():
        with LISTENER.listening():
            os.kill(os.getpid(), signum)
            time.sleep(1)

    with pytest.raises(Interrupted, match=f"interrupted by {name}") as caught:
        work()
    assert caught.value.code == 128 + signum
    assert signal.getsignal(signum) is before


def test_a_launcher_that_has_a_handler_decides(monkeypatch):
    """submitit's for SIGTERM lets the job go on; held back, it is asked when the state is saved."""
    came = []
    before = signal.signal(signal.SIGUSR2, lambda signum, frame: came.append(signum))
    try:
        with LISTENER.listening():
            with LISTENER.holding():
                os.kill(os.getpid(), signal.SIGUSR2)
                assert LISTENER.pending == signal.SIGUSR2
                assert not came
                LISTENER.leave()
            assert came == [signal.SIGUSR2]
            assert LISTENER.pending is None
            os.kill(os.getpid(), signal.SIGUSR2)
            assert len(came) == 2
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_hang_up_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with LISTENER.listening():
            os.kill(os.getpid(), signal.SIGHUP)
            assert LISTENER.pending is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_forked_worker_leaves_that_to_its_parent():
    with LISTENER.listening():  # and what came earlier is forgotten
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
        assert LISTENER.pending is None
