"""Signals that end a command: at once where nothing is lost by it, else at the next moment that can be gone on from.

SIGINT (Ctrl-C), SIGTERM, SIGUSR1, SIGUSR2 and SIGHUP. One that comes again leaves without waiting.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
ONE_SIGNAL = 0.3  # seconds: `timeout` and clusters send one signal to a process and to its group

Action = Callable[[int], None]


class Interrupted(BaseException):
    """A signal ends the command; no ``Exception``, so that nobody takes it for a failure of theirs."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum
        self.code = 128 + signum  #: of the exit


class Listener:
    """What this process does about signals; there is one, :data:`LISTENER`.

    Attributes:
        pending: the signal that came, and is or will be attended to.
        last_acts: what is done before leaving at once.
        heard: when a signal was attended to last, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.pending: int | None = None
        self.last_acts: list[Callable[[], None]] = []
        self.heard = float("-inf")
        self._since = 0.0
        self._holders: list[Action] = []
        self._before: dict[int, Any] = {}
        self._process = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, signals come here; handlers of others (a launcher's) are asked when it is time to leave."""
        before = {signum: signal.getsignal(signum) for signum in SIGNALS}
        hang_up = getattr(signal, "SIGHUP", None)
        ours = [signum for signum in SIGNALS if not (signum == hang_up and before[signum] is signal.SIG_IGN)]  # nohup
        self._before, self._process, self.pending = before, os.getpid(), None
        try:
            for signum in ours:
                signal.signal(signum, self._came)
        except ValueError:  # not in the main thread, where Python would call us: signals are somebody else's
            yield
            return
        try:
            yield
        finally:
            for signum in ours:
                signal.signal(signum, before[signum] if before[signum] is not None else signal.SIG_DFL)
            self._before, self.pending = {}, None  # what trains later in this process has not been signalled

    @contextmanager
    def holding(self, attend: Action = lambda _: None) -> Iterator[None]:
        """Within, a signal does not end the command by itself: ``attend`` is told, and somebody calls ``leave``."""
        self.hold(attend)
        try:
            yield
        finally:
            self.release(attend)

    @property
    def held(self) -> bool:
        """Whether somebody holds signals back."""
        return bool(self._holders)

    def hold(self, attend: Action) -> None:
        self._holders.append(attend)

    def release(self, attend: Action) -> None:
        if attend in self._holders:
            self._holders.remove(attend)

    def _came(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            in_a_fork(signum)
            return
        self.heard = time.monotonic()
        if self.pending is None:
            self.pending, self._since = signum, time.monotonic()
            if self._holders:
                self._holders[-1](signum)
            else:
                self.leave(frame)
        elif time.monotonic() - self._since > ONE_SIGNAL:
            for act in self.last_acts:
                act()
            os._exit(128 + signum)

    def leave(self, frame: FrameType | None = None) -> None:
        """Attend to the signal that is pending: the handler that was there before decides, if there was one.

        Raises:
            Interrupted: there was none.
        """
        signum = self.pending
        if signum is None:
            return
        before = self._before.get(signum)
        if callable(before) and before not in (signal.default_int_handler, _end):
            self.pending = None  # submitit goes on after SIGTERM, and ends the process after SIGUSR2
            before(signum, frame)
        else:
            raise Interrupted(signum)


def end_at_once() -> None:
    """Until somebody listens, and afterwards, let Ctrl-C end this process with a line and 130, not with a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(signum: int, frame: FrameType | None) -> None:
    say(str(Interrupted(signum)))
    os._exit(128 + signum)


def in_a_fork(signum: int) -> None:
    """In a process forked from this one, as workers of loaders are: who started it ends it, by SIGTERM."""
    if signum == signal.SIGTERM:
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)


def say(text: str) -> None:
    """A line on standard error from within a handler, where ``print`` may be under way already.

    On a terminal it is a line of its own: a bar, or ``^C``, stands there.
    """
    start = "\n" if os.isatty(2) else ""
    os.write(2, f"{start}{text}\n".encode())


LISTENER = Listener()
