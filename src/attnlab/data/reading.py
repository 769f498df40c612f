r"""Reading sentence pairs from files as streams: line-aligned or tab-separated, plain or gzip, UTF-8.

The malformed-input policy, one option for every corpus that reads files:

- ``malformed="skip"``: a line with invalid UTF-8, without a tab or with an empty side is left out and counted
  in the corpus's report; ``malformed="error"``: the first one is an error.
- Unequal line counts, an empty file, a broken gzip stream and a split with nothing left are always errors.

Only ``\n`` (or ``\r\n``) ends a line. Text is cleaned: NFC, no byte order mark, no-break spaces and every
other character that some program takes for a line end become plain blanks, no blank at either end.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BufferedReader
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple
from unicodedata import normalize

from attnlab.data.corpus import Pair, Report
from attnlab.types import DataError

Malformed = Literal["skip", "error"]
Stream = Callable[[Report, str], Iterator[Pair]]  #: pairs of one file; faults are counted in the report's split

READING = 1  #: part of every fingerprint; raise it when the same file would yield other text
_GZIP = b"\x1f\x8b"
_NO_BREAK = "\u00a0\u202f"
_LINE_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what str.splitlines would also split at
_PLAIN = str.maketrans(dict.fromkeys(_NO_BREAK + _LINE_ENDS, " ") | {"\ufeff": None})


class Field(NamedTuple):
    """One side of a pair, cleaned, or what is wrong with it."""

    text: str
    fault: str


def clean(text: str) -> str:
    """NFC, plain blanks for no-break spaces and stray line ends, no byte order mark, stripped."""
    return normalize("NFC", text.translate(_PLAIN)).strip()


def parse(raw: bytes) -> Field:
    """Decode and clean one side of a pair."""
    try:
        text = clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Field("", "invalid UTF-8")
    return Field(text, "" if text else "empty side")


def find(folder: Path, name: str) -> Path | None:
    """``NAME`` or ``NAME.gz`` in a folder."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def lines(path: Path) -> Iterator[bytes]:
    """Lines of a plain or gzip file (told by its content), without their ends.

    Raises:
        DataError: the file is missing, empty, or a broken gzip stream.
    """
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):  # noqa: B007 (read in the messages below)
                yield line.removesuffix(b"\n").removesuffix(b"\r")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}:{number + 1}: cannot be read on ({error}); replace the file") from error
    if number == 0:
        raise DataError(f"{path}: the file is empty, expected one sentence a line")


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        compressed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path, "rb") if compressed else path.open("rb")


class Faults:
    """What to do with a malformed line: count it, or stop."""

    def __init__(self, malformed: Malformed, report: Report, split: str) -> None:
        self.malformed, self.report, self.split = malformed, report, split

    def __call__(self, reason: str, where: str) -> None:
        if self.malformed == "error":
            raise DataError(f"{where}: {reason}; mend the line, or set malformed=skip to leave such lines out")
        self.report.skip(self.split, reason, where)


def aligned(source: Path, target: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of two files, line N of one the translation of line N of the other.

    Raises:
        DataError: the files differ in their number of lines, or a fault where faults are errors.
    """
    for number, (left, right) in enumerate(zip_longest(lines(source), lines(target)), 1):
        if left is None or right is None:
            short, long = (source, target) if left is None else (target, source)
            raise DataError(
                f"{short}: {number - 1} lines, but {long} has {sum(1 for _ in lines(long))}; "
                "line N of one must be the translation of line N of the other"
            )
        sides = parse(left), parse(right)
        bad = next((side for side in zip(sides, (source, target), strict=True) if side[0].fault), None)
        if bad is None:
            yield Pair(sides[0].text, sides[1].text)
        else:
            faults(bad[0].fault, f"{bad[1]}:{number}")


def tabbed(path: Path, columns: tuple[int, int], faults: Faults, header: bool = False) -> Iterator[Pair]:
    """Pairs of one tab-separated file; ``columns`` are those of source and target, counted from 0.

    Fields are taken as they stand: a quotation mark is text. Further columns are ignored.
    """
    for number, line in enumerate(lines(path), 1):
        if header and number == 1:
            continue
        fields = line.split(b"\t")
        if len(fields) <= max(columns):
            reason = "no tab" if len(fields) == 1 else f"{len(fields)} columns, too few"
            faults(reason, f"{path}:{number}")
            continue
        sides = [parse(fields[column]) for column in columns]
        fault = sides[0].fault or sides[1].fault
        if fault:
            faults(fault, f"{path}:{number}")
        else:
            yield Pair(sides[0].text, sides[1].text)


def deliver(pairs: Iterable[Pair], report: Report, split: str, corpus: str) -> Iterator[Pair]:
    """Pass pairs on, counted in the report.

    Raises:
        DataError: there was none.
    """
    report.begin(split)
    for pair in pairs:
        report.keep(split)
        yield pair
    if report.pairs[split] == 0:
        why = "; ".join(report.lines()) or "none was left for it by the sizes asked for"
        raise DataError(f"{corpus}: split {split!r} has no sentence pair: {why}")


def content_hash(settings: Mapping[str, object], files: Iterable[Path]) -> str:
    """SHA-256 of settings and file contents, read as streams."""
    parts: list[object] = [READING, dict(settings)]
    for path in files:
        with path.open("rb") as file:
            parts.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
