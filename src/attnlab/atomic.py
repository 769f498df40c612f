"""Files that are either whole or absent, whenever the process is killed and whatever becomes of the disk."""

import errno
import os
import re
import secrets
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
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def append(path: Path, text: str) -> None:
    """Add to the end of a file.

    Raises:
        StorageError: the system refuses.
    """
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
        advice = "make room there" if told.errno in FULL else "see to it that this folder can be written to"
        raise StorageError(
            f"cannot write {path}: {told.strerror or told}; what was saved before is whole: {advice} and go on"
        ) from error


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
