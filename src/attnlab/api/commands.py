"""Commands called from Python: run as from the command line; failures are exceptions."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from omegaconf import DictConfig

from attnlab.cli.app import Command, attempt
from attnlab.cli.errors import Stop
from attnlab.cli.main import typed
from attnlab.interruption import LISTENER, Interrupted


def words(overrides: Sequence[str]) -> list[str]:
    """The words of a command line.

    Raises:
        TypeError: a text instead of a list of them, which Python takes for a list of letters.
    """
    if isinstance(overrides, str):
        raise TypeError(f"got the text {overrides!r}, expected a list of words: [{overrides!r}]")
    return [str(word) for word in overrides]


def execute(command: Command, overrides: Sequence[str]) -> Path | None:
    """Do what a command does.

    Returns:
        The folder that it worked in; None where it had nothing to do.

    Raises:
        ConfigError, DataError, MistakesError: what is wrong, and what to change.
        FailedJobError: jobs of a multirun failed; which, and why, has been printed.
        KeyboardInterrupt: a signal ended it; what can be gone on with was saved.
    """
    try:
        with typed([command.name, *overrides]), logging_as_before(), LISTENER.listening():
            return attempt(command)
    except Stop as stop:
        raise stop.error from stop.error.__cause__
    except Interrupted as stop:
        raise KeyboardInterrupt(str(stop)) from stop
    except SystemExit as end:
        if end.code:
            raise
        return None


@contextmanager
def logging_as_before() -> Iterator[None]:
    """What a command does to logging (files, formats, levels) ends with it: the process is somebody else's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in [item for item in root.handlers if item not in handlers]:
            root.removeHandler(handler)
            handler.close()
        for handler in handlers:
            root.addHandler(handler)
        root.setLevel(level)


def noting(command: Command, note: Callable[[DictConfig], None]) -> Command:
    """The command, which tells ``note`` of the configuration that it runs."""
    work = command.run

    def run(config: DictConfig) -> float | None:
        note(config)
        return work(config)

    run.__name__ = command.name
    return command._replace(run=run)
