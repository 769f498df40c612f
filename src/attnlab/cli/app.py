"""Start a command: check its configuration, hand over to Hydra, say in one message what went wrong.

Nothing heavy is imported here: help, tab completion and configuration errors answer at once.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from attnlab.cli import folders
from attnlab.cli.check import check
from attnlab.cli.compose import Composer
from attnlab.cli.errors import MistakesError, Stop, first_line, report

FULL_ERROR = "HYDRA_FULL_ERROR"


class Command(NamedTuple):
    """A command of the laboratory."""

    run: Callable[[DictConfig], float | None]  #: gets the composed config; its name is that of the file in ``conf``
    options: type  #: a TypedDict: the plain values at the root of that file
    usage: str  #: what it does, with examples
    prepare: Callable[[list[str]], None] | None = None  #: gets the overrides before anything is composed
    rehearse: Callable[[DictConfig], None] | None = None  #: gets the config before a single run has its folder


def launch(command: Command) -> None:
    """Run a command from the command line; on failure leave with a message and an exit code that is not 0."""
    full = os.environ.get(FULL_ERROR, "0")
    failures: list[str] = []
    try:
        folders.register()
        with hydra_errors("1"):  # Hydra then raises, and leaves printing to us
            start(command, get_args_parser().parse_args(), failures, full)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except (Exception, Stop) as error:
        sys.exit(report(error.error if isinstance(error, Stop) else error, failures, full == "1"))


def start(command: Command, arguments: Namespace, failures: list[str], full: str) -> None:
    name = command.run.__name__
    if command.prepare is not None and not arguments.help:
        command.prepare(arguments.overrides)
    with Composer(name, arguments, command.options) as composer:
        if arguments.help:
            print(f"{command.usage.strip()}\n\nGroups and their options:\n\n{composer.listing()}\n")
            return
        if not shows_only(arguments):
            config = composer.check()
            if command.rehearse is not None and config is not None:
                command.rehearse(config)
            composer.reserve(config)

        groups = composer.groups.all

    def job(config: DictConfig) -> float | None:
        try:
            if mistakes := list(check(config, command.options, groups)):
                raise MistakesError(mistakes)
            with hydra_errors(full):  # for the processes that Lightning starts with this command line
                return command.run(config)
        except Exception as error:
            if HydraConfig.get().mode is not RunMode.MULTIRUN:
                raise Stop(error) from error
            report(error)  # now: the other jobs go on, perhaps for hours
            failures.append(f"{' '.join(HydraConfig.get().overrides.task)}: {first_line(error)}")
            raise

    hydra.main(version_base="1.3", config_path=str(folders.configuration()), config_name=name)(job)()


@contextmanager
def hydra_errors(full: str) -> Iterator[None]:
    """Set ``HYDRA_FULL_ERROR`` for a while."""
    before = os.environ.get(FULL_ERROR)
    os.environ[FULL_ERROR] = full
    try:
        yield
    finally:
        if before is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = before


def shows_only(arguments: Namespace) -> bool:
    """Whether Hydra is asked to show something (--cfg, --info, …) rather than to run."""
    return any(getattr(arguments, flag) for flag in ("hydra_help", "cfg", "info", "shell_completion"))
