"""Files that are either whole or absent, whenever the process is killed and whatever becomes of the disk."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attnlab.errors import StorageError

TEMPORARY = re.compile(r"\..+-\d+-[0-9a-f]{8}(\.\w+)?")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` (same suffix); what was written there takes its place at the end.

    The content is on the disk (fsync) before the rename, and the rename is within one folder and so one file
    system: a reader sees the old file or the new one, never a part. On an exception the old file stays.

    Raises:
        StorageError: the system refuses (disk full, folder that cannot be written to, …).
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    with telling(path):
        try:
            require_ordinary(path)
            make_folder(path.parent)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a whole file; one of that name is replaced, and not what other names (hard links) it has.

    Raises:
        StorageError: as ``replacing``.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def append(path: Path, text: str) -> None:
    """Add to the end of a file; one that has another name elsewhere (a copy by hard links) parts from it first.

    Raises:
        StorageError: the system refuses.
    """
    with suppress(OSError):  # told below
        if path.stat().st_nlink > 1:
            with replacing(path) as temporary:
                shutil.copyfile(path, temporary)
    with telling(path), path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Say what the system said, and what to do about it; also where a library has wrapped it in an error of its own."""
    try:
        yield
    except (StorageError, FileExistsError):
        raise
    except (OSError, RuntimeError) as error:  # torch's is a RuntimeError
        told = system_error(error)
        if told is None:
            raise
        advice = "make room there" if told.errno in FULL else obstacle(path)
        advice = advice or "see to it that this folder can be written to"
        raise StorageError(
            f"cannot write {path}: {told.strerror or told}; what was saved before is whole: {advice} and go on"
        ) from error


def require_place(path: Path) -> None:
    """See that a file can have its place, before the work is done whose result it will hold.

    Raises:
        StorageError: a folder has its name, or a file that of a folder above it.
    """
    require_ordinary(path)
    found = obstacle(path)
    if found:
        raise StorageError(f"cannot write {path}: {found}")


def obstacle(path: Path) -> str:
    """What stands where a file, and the folders above it, are to be; "" if nothing does."""
    with suppress(OSError):
        if path.is_dir():
            return f"move away the folder {path}, where a file is expected"
        above = next((folder for folder in path.parents if folder.exists()), None)
        if above is not None and not above.is_dir():
            return f"move away the file {above}, where a folder is expected"
    return ""


def require_ordinary(path: Path) -> None:
    """A file in the place of a device or a pipe would be the end of it.

    Raises:
        StorageError: there is one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise StorageError(f"cannot write {path}: this is a pipe or a device, expected a file or nothing")


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # which elsewhere says that somebody was faster
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error


def system_error(error: BaseException | None) -> OSError | None:
    """The error of the system that is at the bottom of this one, if there is any."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def clear(folder: Path) -> None:
    """Remove what killed processes have left half-written here, and in the folders below.

    For whoever has ``folder`` to himself: nobody else may be writing in it.
    """
    for path in list(folder.rglob(".*-*-*")):
        if TEMPORARY.fullmatch(path.name) and path.is_file():
            with suppress(OSError):
                path.unlink()
