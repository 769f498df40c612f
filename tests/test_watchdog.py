"""A process whose main thread stands in foreign code that never returns is ended by a signal all the same."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from attnlab.interruption import LISTENER
from attnlab.watchdog import watching

# A collective that the other process never joins: foreign code in a loop, deaf to what a signal interrupts.
BLOCKED = """
import ctypes, sys
from attnlab.interruption import LISTENER
from attnlab.watchdog import watching
LISTENER.last_acts.append(lambda: print("the others end", flush=True))
with LISTENER.listening(), LISTENER.holding(), watching(float(sys.argv[1])):
    print("ready", flush=True)
    mutex = ctypes.create_string_buffer(128)
    for _ in range(2):  # of a mutex that nobody unlocks
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""


def blocked(grace):
    process = subprocess.Popen(
        [sys.executable, "-c", BLOCKED, str(grace)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    return process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_who_waits_for_ever_is_ended_after_a_while(name):
    signum = getattr(signal, name)
    with blocked(1.5) as process:
        process.send_signal(signum)
        time.sleep(0.7)
        assert process.poll() is None, "what it waits for may still come"
        out, errors = process.communicate(timeout=10)
    assert process.returncode == 128 + signum
    assert out == "the others end\n"
    assert errors == (
        f"{name} came while this process waits for another one, which does not answer: it ends without saving\n"
    )


def test_the_signal_once_more_ends_it_soon():
    with blocked(60) as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.6)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_who_attends_to_a_signal_is_left_alone_and_nothing_stays():
    before, threads = signal.set_wakeup_fd(-1), threading.active_count()
    with LISTENER.listening(), LISTENER.holding(), watching(0.2):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.6)  # it stands still, but has attended to the signal
        assert LISTENER.pending == signal.SIGTERM
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(before) == -1


def test_signals_of_a_forked_worker_are_its_own():
    with LISTENER.listening(), watching(0.2):
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(0.6)  # in one call: were the number of the signal here, this would be a process that hangs
