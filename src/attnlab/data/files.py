r"""Files as streams of lines: plain or gzip (told by their content), with a bound on everything that could have no end.

Only ``\n`` (or ``\r\n``) ends a line. A line has at most ``LONGEST_LINE`` bytes, and a gzip file of over ``BOMB`` bytes
unpacks to at most ``DENSEST`` times its size: text of any language is packed to a fifth or a tenth.
"""

import gzip
import stat
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from attnlab.data.encoding import SAMPLE, foreign
from attnlab.types import DataError

LONGEST_LINE = 1 << 20
BOMB = 1 << 30
DENSEST = 200
MOST_PASSED_OVER = 1 << 30  #: bytes of a line that is too long, where what is behind it is wanted
_GZIP = b"\x1f\x8b"


def require_file(path: Path) -> Path:
    """Return ``path`` if it is a file, which can be read more than once.

    Raises:
        DataError: nothing is there, or something else.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: this is a folder, expected a file with one sentence a line")
    if not stat.S_ISREG(mode):
        raise DataError(
            f"{path}: this is a pipe or a device, and data are read more than once; save it: cat {path} > FILE"
        )
    return path


def lines(path: Path) -> Iterator[bytes]:
    """Lines of a file, without their ends.

    Raises:
        DataError: the file is missing, empty, no file, of another encoding or broken, or a line has no end.
    """
    number = 0
    try:
        with require_file(path).open("rb") as raw:
            size = path.stat().st_size
            file = unpacked(raw)
            seen = foreign(file.read(SAMPLE))
            if seen is not None:
                raise DataError(f"{path}: {seen}")
            file.seek(0)
            most = None if file is raw else max(BOMB, DENSEST * size)
            for number, line in enumerate(bounded(file, str(path)), 1):
                if too_long(line):
                    raise DataError(
                        f"{path}:{number}: the line has over {LONGEST_LINE} bytes; expected one sentence a line"
                    )
                if most is not None and number % 4096 == 0 and file.tell() > most:
                    raise DataError(f"{path}:{number}: {size} bytes unpack to over {most}; expected packed text")
                yield line.removesuffix(b"\n").removesuffix(b"\r")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}:{number + 1}: cannot be read on ({error}); replace the file") from error
    if number == 0:
        raise DataError(f"{path}: the file is empty, expected one sentence a line")


def unpacked(file: BufferedReader) -> BufferedReader:
    """The file, or what is in it if it is a gzip file; a pipe will do."""
    if not file.peek(len(_GZIP)).startswith(_GZIP):
        return file
    packed: Any = gzip.GzipFile(fileobj=file, mode="rb")
    return BufferedReader(packed, SAMPLE)  # reads lines in C


def bounded(file: BufferedReader, name: str) -> Iterator[bytes]:
    """Lines with their ends. Of one that is ``too_long`` comes the beginning; the rest is passed over.

    Raises:
        DataError: there is no end to it.
    """
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        passed = 0
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)
            passed += len(line)
            if passed > MOST_PASSED_OVER:
                raise DataError(f"{name}: a line has over {MOST_PASSED_OVER} bytes; expected one sentence a line")
            if not line:
                return


def too_long(line: bytes) -> bool:
    """Whether a line that ``bounded`` gave is only the beginning of one."""
    return len(line.removesuffix(b"\n").removesuffix(b"\r")) > LONGEST_LINE
