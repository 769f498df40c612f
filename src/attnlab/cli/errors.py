"""One readable message for whatever was wrong with the settings or the data; tracebacks for bugs only."""

import difflib
import errno
import sys
import textwrap
import traceback
from collections.abc import Iterable, Sequence

from hydra.errors import HydraException, InstantiationException
from omegaconf.errors import OmegaConfBaseException

from attnlab.cli.config.command_line import as_called
from attnlab.console import visible
from attnlab.imports import failed
from attnlab.moved import told

# Where exceptions live that tell of wrong settings or data. They are looked up among the modules that are
# loaded already: importing torch or Lightning to print a message would take seconds.
USER_ERRORS = {
    "attnlab.errors": ("ConfigError", "DataError", "NonFiniteError", "StorageError"),
    "lightning_fabric.utilities.exceptions": ("MisconfigurationException",),
}


MOST_NAMED = 40  # names in a message that knows no near one

OF_THE_DISK = (  # no bug, whoever meets it
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP,
    errno.ENAMETOOLONG,
)  # fmt: skip


class MistakesError(ValueError):
    """Everything that is wrong with a configuration."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(list(messages))
        self.messages = list(messages)

    def __str__(self) -> str:
        return "\n".join(self.messages)


class Stop(BaseException):
    """Carries the failure of a single run past Hydra, which reports an ``Exception`` in its own way."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class FailedJobError(RuntimeError):
    """A job of a multirun failed, and the reason has been told. It can be sent from process to process."""


def report(error: BaseException, full: bool = False) -> int:
    """Print what went wrong and return the exit code.

    2 for settings and data, 3 for numbers that are not finite, 1 for bugs and failed jobs.
    """
    if isinstance(error, FailedJobError):
        return 1
    known = user_error(error)
    if known is None and (hint := told(error)):
        error.add_note(hint.strip())
    if full or known is None:
        traceback.print_exception(error)
        return 1 if known is None else exit_code(known)
    print(visible(as_called(message(known))), file=sys.stderr)
    return exit_code(known)


def in_short(error: BaseException) -> str:
    """A bug on a line: what, and where in the last code that is of no library."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{type(error).__name__}: {first_line(error)} ({own[-1].filename}, line {own[-1].lineno}, in {own[-1].name})"


def exit_code(known: BaseException) -> int:
    return int(getattr(known, "exit_code", 2))


def user_error(error: BaseException) -> BaseException | None:
    """The error, or the one that caused it, that tells of wrong settings or data; None for a bug."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, user_types()) or (isinstance(seen, OSError) and seen.errno in OF_THE_DISK):
            return seen
        seen = seen.__cause__
    if isinstance(error, InstantiationException) and "call to target 'attnlab." in str(error):
        return None  # our own constructors tell of wrong settings with the errors above
    return error if isinstance(error, HydraException | OmegaConfBaseException) else None


def user_types() -> tuple[type[BaseException], ...]:
    loaded = ((sys.modules.get(module), names) for module, names in USER_ERRORS.items())
    return MistakesError, *(getattr(module, name) for module, names in loaded if module for name in names)


def message(error: BaseException) -> str:
    if isinstance(error, InstantiationException) and (why := failed(error)) is not None:
        return f"Error: {str(error).rpartition('full_key: ')[2].strip()}._target_ cannot be imported: {why}"
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return f"Error: {str(error).rpartition('full_key: ')[2].strip()}: {' '.join(str(error.__cause__).split())}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"Error: {error.filename}: {error.strerror}; see to it that there is room and that it can be written to"
    if isinstance(error, OmegaConfBaseException):
        place = f"{error.full_key}: " if error.full_key else ""
        return f"Error: {place}{first_line(error)}"
    if not isinstance(error, MistakesError):
        return f"Error: {error}"
    if len(error.messages) == 1:
        return f"Error: {error.messages[0]}"
    numbered = (
        textwrap.indent(text, "     ").replace("     ", f"{number:3}. ", 1)
        for number, text in enumerate(error.messages, 1)
    )
    return f"{len(error.messages)} mistakes in the configuration:\n" + "\n".join(numbered)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def nearest(name: str, names: Iterable[str]) -> str:
    """``did you mean "lr"?``, or the names there are."""
    names = sorted(set(names))
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.55)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return f"there is {', '.join(names[:MOST_NAMED])}{', …' * (len(names) > MOST_NAMED)}" if names else "there is none"
