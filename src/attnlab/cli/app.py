"""Start a command: check its configuration, hand over to Hydra, say in one message what went wrong.

Nothing heavy is imported here: help, tab completion and configuration errors answer at once.
"""

import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import hydra
from omegaconf import DictConfig

from attnlab.cli import folders, project
from attnlab.cli.config.command_line import as_called
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.helping import columns, usage
from attnlab.cli.errors import MistakesError, Stop, nearest, report
from attnlab.cli.job import FULL_ERROR, TOLD, Job
from attnlab.cli.multirun import side_by_side
from attnlab.cli.multirun.attempt import Attempt
from attnlab.cli.multirun.resume_multirun import record
from attnlab.cli.multirun.running import run_jobs
from attnlab.cli.quantities import declare, of_the_user
from attnlab.cli.resume import go_on
from attnlab.console import visible
from attnlab.environment import first_process, variable
from attnlab.interruption import LISTENER, Interrupted
from attnlab.private.hydra import flag_names, flags_parser, run_alone, set_aside

SHOWING = ("cfg", "info", "shell_completion")  # flags of Hydra
ACTIONS = ("run", "multirun", *SHOWING)  # each without the others


class Command(NamedTuple):
    """A command of the laboratory."""

    run: Callable[[DictConfig], float | None]  #: gets the composed config; its name is that of the file in ``conf``
    options: type  #: a TypedDict: the plain values at the root of that file
    usage: str  #: what it does, with examples
    prepare: Callable[[list[str]], None] | None = None  #: gets the overrides before anything is composed
    rehearse: Callable[[DictConfig], None] | None = None  #: gets the config of every run before the first one begins
    resumes: bool = False  #: what it began can be gone on with by ``resume=…``

    @property
    def name(self) -> str:
        return self.run.__name__


def launch(command: Command) -> None:
    """Run a command from the command line; on failure leave with a message and an exit code that is not 0.

    A signal ends it with 128 and its number: 130 for Ctrl-C, 143 for SIGTERM.
    """
    full = os.environ.get(FULL_ERROR, "0")
    try:
        with LISTENER.listening():
            attempt(command)
    except (Interrupted, KeyboardInterrupt) as interruption:
        stop = interruption if isinstance(interruption, Interrupted) else Interrupted(signal.SIGINT)
        if not hasattr(stop, TOLD) and first_process():
            print(stop, file=sys.stderr)
        # Lightning, which started the others, takes a code other than 0 for a reason to kill them all.
        sys.exit(stop.code if first_process() else 0)
    except (Exception, Stop) as stopped:
        error = stopped.error if isinstance(stopped, Stop) else stopped
        if isinstance(error, BrokenPipeError):  # whoever read the output wants no more of it, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)
        sys.exit(report(error, full == "1"))


def attempt(command: Command) -> Path | None:
    """Do what the command line asks for.

    Returns:
        The folder of the run or of the multirun; None where only something was shown.
    """
    folders.register()
    tracebacks = os.environ.get(FULL_ERROR) == "1"
    with variable(FULL_ERROR, "1"):  # Hydra then raises, and leaves printing to us
        # Composing makes many small objects that stay: looking for garbage among them takes a fifth of the time.
        gc.disable()
        try:
            job = prepared(command, read_flags(sys.argv[1:]))
        except Exception:
            if "torch" not in sys.modules:  # else it is no mistake told at once, or the process is another's (a test's)
                gc.freeze()  # the process ends with a message, and nobody goes through all of them on the way
            raise
        finally:
            gc.enable()
        if job is not None:
            job.tracebacks = tracebacks
            run(job)
    return None if job is None else job.folder


def read_flags(arguments: Sequence[str]) -> Namespace:
    """Hydra's flags and the overrides; ``unsaid`` is the folder of configurations that is taken where none is named.

    Raises:
        MistakesError: flags that there are not.
    """
    parser = flags_parser()
    known = flag_names(parser)

    def refuse(said: str) -> NoReturn:
        kind, _, rest = said.partition("unrecognized arguments: ")
        raise MistakesError([kind] if kind else [unknown_flag(flag, known) for flag in rest.split(" -")])

    parser.error = refuse  # type: ignore[assignment, method-assign]
    flags = parser.parse_args(list(arguments))
    own = None if flags.config_dir or flags.config_path else project.own_configuration()
    flags.unsaid = None if own is None else str(own)
    flags.config_dir = flags.config_dir or flags.unsaid
    return flags


def unknown_flag(flag: str, known: Iterable[str]) -> str:
    name = f"-{flag}" if not flag.startswith("-") else flag
    if "=" in name:
        return f"{name}: there is no such flag; settings have no hyphens in front: {name.lstrip('-')}"
    return f"{name}: there is no such flag; {nearest(name, known)}"


def composed(command: Command, overrides: Sequence[str]) -> DictConfig:
    """The checked configuration of a command, for whoever calls it from Python; nothing is done yet.

    Raises:
        MistakesError: everything that is wrong with it.
    """
    folders.register()
    arguments = read_flags(overrides)
    if command.prepare is not None:
        command.prepare(arguments.overrides)
    with set_aside(), Composer(command.name, arguments, command.options) as composer:
        config = composer.check()
    assert config is not None  # no flag makes a multirun of it
    return config


def prepared(command: Command, arguments: Namespace) -> Job | None:
    """Check everything before anything is done, and take a folder; None where help was all that was wanted."""
    asked = [f"--{flag.replace('_', '-')}" for flag in ACTIONS if getattr(arguments, flag)]
    if len(asked) > 1:
        raise MistakesError([f"{' and '.join(asked)} came together; expected one of them"])
    conf = of_the_user(arguments.config_dir)
    declare(conf)
    if not arguments.help:
        if command.prepare is not None:
            command.prepare(arguments.overrides)
        if command.resumes and first_process():  # others have the command line that the first one has made
            go_on(command, arguments)
    if arguments.unsaid is not None:  # Hydra itself, and processes that are started later, read the command line
        sys.argv[1:1] = ["--config-dir", arguments.unsaid]
    with Composer(command.name, arguments, command.options) as composer:
        if arguments.help:
            print("\n\n".join(filter(None, [usage(as_called(command.usage.strip()), columns()), composer.listing()])))
            return None
        folder = multirun = single = None
        if not shows_only(arguments):
            config = composer.check()
            single = None if config is None else composer
            if config is None:
                side_by_side.check(composer.plan.per_gpu)
            if command.rehearse is not None:
                if config is not None:
                    command.rehearse(config)
                else:
                    composer.rehearse(command.rehearse)
            folder = composer.reserve(config)
            multirun = folder if config is None else None
            if multirun is not None and command.resumes:
                record(multirun, arguments)
        elif arguments.cfg:
            tell_what_is_wrong(composer)
        attempt = None if multirun is None else Attempt(multirun.absolute(), side_by_side.used(), composer.plan)
        return Job(command, composer.groups.all, attempt, arguments.overrides, folder, conf, single)


def tell_what_is_wrong(composer: Composer) -> None:
    """Of a configuration that is only shown: beside it, so that whoever looks for a mistake sees it whole."""
    try:
        composer.check()
    except MistakesError as error:
        print(visible("\n".join(f"would not run: {text}" for text in error.messages)), file=sys.stderr, flush=True)


def run(job: Job) -> None:
    """Let Hydra call the job for every run."""
    main = hydra.main(version_base="1.3", config_path=str(project.configuration()), config_name=job.command.name)
    if job.composer is not None:
        overrides = flags_parser().parse_args().overrides  # as of another process that has this command line
        run_alone(job.composer.hydra, job.composer.name, job, overrides)
    elif job.attempt is None:
        main(job)()
    else:
        try:
            run_jobs(job, main(job))
        except Interrupted as stop:
            setattr(stop, TOLD, True)
            raise


def shows_only(arguments: Namespace) -> bool:
    """Whether Hydra is asked to show something (--cfg, --info, …) rather than to run."""
    return any(getattr(arguments, flag) for flag in ("hydra_help", *SHOWING))
