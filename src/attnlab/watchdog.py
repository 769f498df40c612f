"""A process that waits for another one does not hear signals: Python attends to them between two of its own steps.

While a collective of several processes is under way the interpreter stands still, and where the other process is stuck
it does so for ever. The system's own handler writes the signal's number into a pipe all the same; a thread reads it.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select

from attnlab.interruption import LISTENER, ONE_SIGNAL, SIGNALS, say

GRACE = 30.0  # seconds; SLURM and Kubernetes give as many before SIGKILL
AGAIN = 1.0  # seconds, once the signal has come again

Standing = tuple[int, int]  #: a frame and its next instruction


@contextmanager
def watching(grace: float = GRACE) -> Iterator[None]:
    """Within, a signal that the main thread does not attend to ends the process, with 128 and its number."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=watch, args=(reading, grace), name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)


def watch(reading: int, grace: float) -> None:
    """Read the numbers of signals until the other end is closed; end the process where nobody attends to one."""
    last, until, stood = 0, float("inf"), standing()
    came = float("-inf")
    while True:
        ready = select([reading], [], [], min(max(until - time.monotonic(), 0), 3600))[0]
        if ready:
            numbers = os.read(reading, 64)
            if not numbers:
                return
            found = [number for number in numbers if number in SIGNALS]
            now = time.monotonic()
            again = LISTENER.pending is not None or until < float("inf")
            if found and now - came > ONE_SIGNAL:
                last, stood = found[-1], standing()
                until = min(until, now + (min(AGAIN, grace) if again else grace))
                came = now
        elif time.monotonic() >= until:
            if LISTENER.heard < came - ONE_SIGNAL and standing() == stood:  # what moves attends to signals
                leave(last)
            until = float("inf")


def standing() -> Standing:
    """Where the main thread is."""
    frame = sys._current_frames()[threading.main_thread().ident or 0]
    return id(frame), frame.f_lasti


def leave(signum: int) -> None:
    name = signal.Signals(signum).name
    say(f"{name} came while this process waits for another one, which does not answer: it ends without saving")
    for act in LISTENER.last_acts:
        with suppress(Exception):  # whatever it is, this process ends
            act()
    os._exit(128 + signum)


def forget() -> None:
    """In a process that was forked: its signals are none of this one."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=forget)
