"""Start a command: check its configuration, hand over to Hydra, say in one message what went wrong.

Nothing heavy is imported here: help, tab completion and configuration errors answer at once.
"""

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import hydra
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig

from attnlab.cli import folders
from attnlab.cli.compose import Composer
from attnlab.cli.errors import FailedJobError, MistakesError, Stop, first_line, report
from attnlab.cli.job import FULL_ERROR, Job
from attnlab.environment import variable

SHOWING = ("cfg", "info", "shell_completion")  # flags of Hydra
ACTIONS = ("run", "multirun", *SHOWING)  # each without the others


class Command(NamedTuple):
    """A command of the laboratory."""

    run: Callable[[DictConfig], float | None]  #: gets the composed config; its name is that of the file in ``conf``
    options: type  #: a TypedDict: the plain values at the root of that file
    usage: str  #: what it does, with examples
    prepare: Callable[[list[str]], None] | None = None  #: gets the overrides before anything is composed
    rehearse: Callable[[DictConfig], None] | None = None  #: gets the config before a single run has its folder

    @property
    def name(self) -> str:
        return self.run.__name__


def launch(command: Command) -> None:
    """Run a command from the command line; on failure leave with a message and an exit code that is not 0."""
    full = os.environ.get(FULL_ERROR, "0")
    try:
        folders.register()
        with variable(FULL_ERROR, "1"):  # Hydra then raises, and leaves printing to us
            # Composing makes many small objects that stay: looking for garbage among them takes a fifth of the time.
            gc.disable()
            try:
                job = prepared(command, get_args_parser().parse_args())
            finally:
                gc.enable()
            if job is not None:
                run(job)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except (Exception, Stop) as error:
        sys.exit(report(error.error if isinstance(error, Stop) else error, full == "1"))


def prepared(command: Command, arguments: Namespace) -> Job | None:
    """Check everything before anything is done, and take a folder; None where help was all that was wanted."""
    asked = [f"--{flag.replace('_', '-')}" for flag in ACTIONS if getattr(arguments, flag)]
    if len(asked) > 1:
        raise MistakesError([f"{' and '.join(asked)} came together; expected one of them"])
    if command.prepare is not None and not arguments.help:
        command.prepare(arguments.overrides)
    with Composer(command.name, arguments, command.options) as composer:
        if arguments.help:
            print(f"{command.usage.strip()}\n\nGroups and their options:\n\n{composer.listing()}\n")
            return None
        multirun = None
        if not shows_only(arguments):
            config = composer.check()
            if command.rehearse is not None and config is not None:
                command.rehearse(config)
            multirun = composer.reserve(config)
        return Job(command, composer.groups.all, multirun, arguments.overrides)


def run(job: Job) -> None:
    """Let Hydra call the job for every run, and tell at the end which of them failed."""
    main = hydra.main(version_base="1.3", config_path=str(folders.configuration()), config_name=job.command.name)
    failures: list[str] = []
    try:
        with known_to_be_single() if job.folder is None else nullcontext():
            main(job)()
    except Exception as error:
        failures = job.failures()
        if not failures:
            raise
        if not isinstance(error, FailedJobError):  # what a sweeper or a launcher makes of it
            print(f"\n{type(error).__name__}: {first_line(error)}", file=sys.stderr)
    finally:
        if job.folder is not None:
            print(f"multirun: {job.folder}", flush=True)
    failures = failures or job.failures()  # a sweeper may put up with them
    if failures:
        told = [f"{len(failures)} job{'s' * (len(failures) > 1)} failed:", *(f"  {line}" for line in failures)]
        print("\n" + "\n".join(told), file=sys.stderr)
        sys.exit(1)


@contextmanager
def known_to_be_single() -> Iterator[None]:
    """Within, Hydra does not compose a run once more only to see that it is no multirun."""
    original = Hydra.get_mode
    Hydra.get_mode = lambda *_, **__: None
    try:
        yield
    finally:
        Hydra.get_mode = original


def shows_only(arguments: Namespace) -> bool:
    """Whether Hydra is asked to show something (--cfg, --info, …) rather than to run."""
    return any(getattr(arguments, flag) for flag in ("hydra_help", *SHOWING))
