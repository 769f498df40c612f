"""Several jobs under way in one process, of which one runs at a time, until its turn ends.

Each is a coroutine (a greenlet), so all of them run in the main thread, where signals come and torch has its threads.
What a job takes for the process's own, as its random numbers, is exchanged with the turn: :class:`Surroundings`. So
each computes what it would compute alone, to the last bit.
"""

import logging
import os
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from greenlet import GreenletExit, getcurrent, greenlet
from hydra.core.hydra_config import HydraConfig

from attnlab.interruption import LISTENER, Interrupted
from attnlab.private.wandb import exchange_run

if TYPE_CHECKING:  # every training asks for its callback, and few take turns
    from attnlab.callbacks.taking_turns import Meeting, TakingTurns
    from attnlab.models.meeting import Stack

VARIABLES = ("PL_GLOBAL_SEED", "WANDB_DATA_DIR")  # of the environment: the seed of a job, where its artifacts wait


class Surroundings:
    """What is the process's and yet a job's own, as it is now; :meth:`restore` makes it so again."""

    def __init__(self) -> None:
        self.streams = sys.stdout, sys.stderr
        self.arguments, self.hydra = sys.argv, HydraConfig.instance().cfg
        self.handlers, self.level = list(logging.root.handlers), logging.root.level
        self.wandb = exchange_run(None)
        self.variables = {name: os.environ.get(name) for name in VARIABLES}
        self.anomaly, self.gradients = torch.is_anomaly_enabled(), torch.is_grad_enabled()
        self.dtype = torch.get_default_dtype()
        self.low = [(kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in ("cpu", "cuda")]
        self.drawn = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the global one
        self.cuda = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    def restore(self) -> None:
        sys.stdout, sys.stderr = self.streams
        sys.argv, HydraConfig.instance().cfg = self.arguments, self.hydra
        for handler in list(logging.root.handlers):
            logging.root.removeHandler(handler)
        for handler in self.handlers:
            logging.root.addHandler(handler)
        logging.root.setLevel(self.level)
        exchange_run(self.wandb)
        for name, value in self.variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        torch.autograd.set_detect_anomaly(self.anomaly)
        torch.set_grad_enabled(self.gradients)
        torch.set_default_dtype(self.dtype)
        for kind, enabled, dtype in self.low:
            torch.set_autocast_enabled(kind, enabled)
            torch.set_autocast_dtype(kind, dtype)
        torch.clear_autocast_cache()  # a weight that was cast in another turn may have changed
        python, numpy, cpu = self.drawn
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda)


class Runner:
    """A job under way.

    Args:
        number: of the job.
        job: what it does.
    """

    def __init__(self, number: int, job: Callable[[], Any]) -> None:
        self.number, self.coroutine = number, greenlet(job)
        self.surroundings: Surroundings | None = None  #: in which it goes on; None before its first turn
        # What a GPU is handed on one stream waits for nothing that it is handed on another.
        self.stream = torch.cuda.Stream() if torch.cuda.is_available() else None

    def turn(self) -> Any:
        """Run until the turn ends; what the job returned if it has ended, and ``self.ended`` says that."""
        first = self.surroundings is None
        if self.surroundings is not None:
            self.surroundings.restore()
        with torch.cuda.stream(self.stream):
            value = self.coroutine.switch()
        if first and self.stream is not None:
            self.stream.synchronize()  # what the first job leaves behind in caches is there when others read it
        self.surroundings = None if self.ended else Surroundings()
        return value

    @property
    def ended(self) -> bool:
        return bool(self.coroutine.dead)


def by_turns(jobs: Sequence[Callable[[], Any]], at_once: int) -> list[Any]:
    """What the jobs return.

    Args:
        jobs: that end their turns now and then (:func:`end_turn`).
        at_once: under way at a time; the next begins when one has ended.

    Raises:
        Interrupted: a signal came; jobs under way have ended as such a job ends, others have not begun.
        BaseException: a job raised it; the others are under way no more.
    """
    ours, environment = Surroundings(), dict(os.environ)
    ours.restore()
    coming, found = deque(Runner(number, job) for number, job in enumerate(jobs)), dict[int, Any]()
    under_way = deque[Runner]()
    stop: Interrupted | None = None
    try:
        while under_way or (coming and stop is None):
            if coming and stop is None and len(under_way) < at_once:
                ours.restore()
                runner = coming.popleft()
            else:
                runner = under_way.popleft()
            try:
                value = runner.turn()
            except Interrupted as interruption:
                stop = interruption
                LISTENER.pending = LISTENER.pending or stop.signum  # the others see that, and save
                continue
            if runner.ended:
                found[runner.number] = value
            else:
                under_way.append(runner)
    finally:
        for runner in under_way:  # only where a job raised what is nobody's to catch
            runner.coroutine.throw(GreenletExit)
        ours.restore()
        os.environ.clear()
        os.environ.update(environment)
    if stop is not None:
        raise stop
    return [found[number] for number in range(len(jobs))]


def end_turn() -> None:
    """Let another job go on; comes back when it is this one's turn again. Nothing where jobs take no turns.

    Raises:
        Interrupted: a signal came to another job, and nobody holds it back until this one has saved.
    """
    parent = getcurrent().parent
    if parent is not None:
        parent.switch()
        if LISTENER.pending is not None and not LISTENER.held:
            LISTENER.leave()


class Turns(NamedTuple):
    """What turns are like."""

    updates: int  #: of one
    stack: "Stack | None" = None  #: where trainings meet; then a turn ends at every meeting


TURNS: list[Turns] = []  #: of this process; none where jobs take no turns


@contextmanager
def taking(turns: Turns) -> Iterator[None]:
    """Within, trainings take turns."""
    TURNS.append(turns)
    try:
        yield
    finally:
        TURNS.pop()


def callback() -> "TakingTurns | Meeting | None":
    """What has a training take turns; None where none does."""
    if not TURNS:
        return None
    from attnlab.callbacks.taking_turns import Meeting, TakingTurns

    updates, stack = TURNS[-1]
    return TakingTurns(end_turn, updates) if stack is None else Meeting(stack)
