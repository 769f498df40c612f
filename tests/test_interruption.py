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


@pytest.mark.parametrize(
    "command", ["train.py", "compare.py", "translate.py", "evaluate.py", "dashboard.py", "attnlab"]
)
def test_ctrl_c_during_the_imports_ends_without_a_traceback(command, project_root, tmp_path):
    """Hydra, the first that takes time, sends the signal here."""
    (tmp_path / "hydra.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", "utf-8")
    console = ["-c", "from attnlab.cli.main import main; main()", "train"]
    arguments = console if command == "attnlab" else [str(project_root / command)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    undo = None if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN else listen_to_it  # the tests run with nohup
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, preexec_fn=undo, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted by SIGINT\n")


def listen_to_it():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_what_came_is_over_when_nobody_listens_any_more():
    """Else the next training of the process would end at once."""
    with LISTENER.listening(), LISTENER.holding():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        assert LISTENER.pending == signal.SIGTERM
    assert LISTENER.pending is None
