"""Where lines come from and go to: files, pipes, standard input and output, so that nothing gets lost."""

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO

from attnlab.console import visible
from attnlab.types import ConfigError, DataError


def note(text: str) -> None:
    """Tell something beside the output."""
    print(visible(text), file=sys.stderr, flush=True)


@contextmanager
def open_input(path: str | None) -> Iterator[BufferedReader]:
    """A file, a pipe or standard input.

    Raises:
        ConfigError: it cannot be read.
    """
    if path is None:
        if sys.stdin is None:
            raise ConfigError("standard input is closed; name a file: input=…")
        yield sys.stdin.buffer  # type: ignore[misc]
        return
    if Path(path).is_dir():
        raise ConfigError(f"input={path}: this is a folder, expected a file")
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; errors within are others
    except FileNotFoundError:
        raise ConfigError(f"input={path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"input={path}: cannot be read ({error})") from None
    with file:
        yield file


def make_folder(option: str, path: Path) -> None:
    """Make a folder for what is to be written.

    Raises:
        ConfigError: none can be made there; ``option`` is what named it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{option}={path}: no folder can be made there ({error.strerror})") from error


class Output:
    """A stream that tells of its own failures.

    Args:
        file: to be written to.
        name: for messages.
    """

    def __init__(self, file: IO[str], name: str) -> None:
        self._file, self._name = file, name

    def write(self, text: str) -> None:
        with told(self._name):
            self._file.write(visible(text) if self._file.isatty() else text)

    def flush(self) -> None:
        with told(self._name):
            self._file.flush()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn a failure to write into a message; a reader that wants no more is another matter."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: cannot be written ({getattr(error, 'strerror', None) or error})") from error


@contextmanager
def open_output(path: str | None, source: BufferedReader, done: str) -> Iterator[Output]:
    """Standard output, a device or a pipe as they are; a file beside its place, where it is moved when it is whole.

    What was written before an error stays in the file beside, ``<path>.partial``.

    Args:
        path: the file; None is standard output.
        source: what is read.
        done: what is done with it, for messages: "translated".

    Raises:
        ConfigError: it cannot be written, or is what is read.
    """
    if path is None:
        with standard_output(source) as output:
            yield output
        return
    name = f"output={path}"
    with told(name):
        number = descriptor(path)
        there = os.fstat(number) if number is not None else status(Path(path))
    if there is not None:
        if stat.S_ISDIR(there.st_mode):
            raise ConfigError(f"{name}: this is a folder, expected a file")
        require_another(name, there, source)
    if number is not None or (there is not None and not stat.S_ISREG(there.st_mode)):
        with told(name):
            file = open(path if number is None else os.dup(number), "w", encoding="utf-8", newline="\n")  # noqa: PTH123, SIM115
        with as_it_is(file, name) as output:
            yield output
    else:
        with replacing(Path(os.path.realpath(path)), name, done) as output:
            yield output


def descriptor(path: str) -> int | None:
    """The number of an open file that a path stands for: opening it anew would empty what ``>>`` adds to."""
    found = re.fullmatch(r"/(?:dev|proc/self)/fd/(\d+)", path)
    return int(found[1]) if found else {"/dev/stdout": 1, "/dev/stderr": 2}.get(path)


def status(path: Path) -> os.stat_result | None:
    """What is there; None where nothing is, and then the folder is made."""
    try:
        return path.stat()
    except FileNotFoundError:
        Path(os.path.realpath(path)).parent.mkdir(parents=True, exist_ok=True)
        return None


@contextmanager
def as_it_is(file: IO[str], name: str) -> Iterator[Output]:
    try:
        yield Output(file, name)
        with told(name):
            file.close()
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def standard_output(source: BufferedReader) -> Iterator[Output]:
    if sys.stdout is None:
        raise ConfigError("standard output is closed; name a file: output=…")
    require_another("standard output", os.fstat(sys.stdout.fileno()), source)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        yield Output(sys.stdout, "standard output")
    except ConfigError as error:
        if isinstance(error.__cause__, OSError):  # what is still held back would fail once more at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def replacing(place: Path, name: str, done: str) -> Iterator[Output]:
    """A file beside ``place`` that takes its place at the end; it stays, and is named, where the end is not reached."""
    with told(name):
        file, partial = beside(place)
    try:
        yield Output(file, name)
        with told(name):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            if place.exists():
                shutil.copymode(place, partial)
            partial.replace(place)
    except BaseException as error:
        with suppress(OSError):
            file.close()
        if partial.stat().st_size == 0:
            partial.unlink()
            raise
        kept = f"what was {done} until then is in {partial}"
        if isinstance(error, ConfigError | DataError):
            raise type(error)(f"{error}; {kept}") from error
        note(kept)
        raise


def beside(place: Path) -> tuple[IO[str], Path]:
    """A new file beside ``place``: none is overwritten, since an earlier one may hold what somebody wants."""
    number = 1
    while True:
        partial = place.with_name(f"{place.name}.partial{'' if number == 1 else number}")
        try:
            return partial.open("x", encoding="utf-8", newline="\n"), partial
        except FileExistsError:
            number += 1


def require_another(name: str, there: os.stat_result, source: BufferedReader) -> None:
    """Raise ConfigError where the output is the file that is read, by whatever name, link or redirection."""
    try:
        read = os.fstat(source.fileno())
    except (OSError, ValueError):  # a stand-in that has no number
        return
    if stat.S_ISREG(there.st_mode) and os.path.samestat(read, there):
        raise ConfigError(f"{name}: this is the file that is read, which would be lost; name another one")
