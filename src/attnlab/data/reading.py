r"""Reading sentence pairs from files as streams: line-aligned or tab-separated, plain or gzip, UTF-8.

The malformed-input policy, one option for every corpus that reads files:

- ``malformed="skip"``: a line with invalid UTF-8, with a NUL character, without a tab or with an empty side (one that
  shows nothing: see :mod:`attnlab.data.text`) is left out and counted in the corpus's report; ``malformed="error"``:
  the first one is an error.
- Another encoding, unequal line counts, an empty file, a line without end (see :mod:`attnlab.data.files`), a broken
  gzip stream and a split with nothing left are always errors.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from attnlab.data.corpus import ItemT, Pair, Report
from attnlab.data.files import lines, require_file
from attnlab.data.text import parse
from attnlab.types import DataError

Malformed = Literal["skip", "error"]
Stream = Callable[[Report, str], Iterator[ItemT]]  #: items of one file; faults are counted in the report's split

READING = 2  #: part of every fingerprint; raise it when the same file would yield other text


_SHOWN = 60  # bytes of a line in a message


def find(folder: Path, name: str) -> Path | None:
    """``NAME`` or ``NAME.gz`` in a folder."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def named_file(name: str, root: Path) -> Path:
    """A file that the user names: from the current folder, else from ``root``; ``.gz`` at its end may be left out.

    Raises:
        DataError: it is at neither place.
    """
    try:
        given = Path(name).expanduser()
        places = [place for base in (given, root / given) for place in (base, Path(f"{base}.gz"))]
        files = (place for place in places if place.is_file())
        found = next(files, None) or next((place for place in places if place.exists()), None)
    except (OSError, RuntimeError) as error:
        raise DataError(f"file {name}: cannot be looked up ({error})") from None
    if found is None:
        raise DataError(
            f"missing file {given.absolute()}[.gz] (or {(root / given).absolute()}[.gz]); "
            "give its path, or set paths.data (variable ATTNLAB_DATA) to the folder it is in"
        )
    return found


class Faults:
    """What to do with a malformed line: count it, or stop."""

    def __init__(self, malformed: Malformed, report: Report, split: str) -> None:
        self.malformed, self.report, self.split = malformed, report, split

    def __call__(self, reason: str, where: str) -> None:
        if self.malformed == "error":
            raise DataError(f"{where}: {reason}; mend the line, or set malformed=skip to leave such lines out")
        self.report.skip(self.split, reason, where)


def aligned(source: Path, target: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of two files; see :func:`numbered_aligned`."""
    return (pair for _, pair in numbered_aligned(source, target, faults))


def numbered_aligned(source: Path, target: Path, faults: Faults) -> Iterator[tuple[int, Pair]]:
    """Pairs of two files, line N of one the translation of line N of the other, with their line numbers.

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
            yield number, Pair(sides[0].text, sides[1].text)
        else:
            faults(bad[0].fault, f"{bad[1]}:{number}")


def tabbed(path: Path, columns: tuple[int, int], faults: Faults, header: bool = False) -> Iterator[Pair]:
    """Pairs of one tab-separated file; see :func:`numbered_tabbed`."""
    return (pair for _, pair in numbered_tabbed(path, columns, faults, header))


def numbered_tabbed(
    path: Path, columns: tuple[int, int], faults: Faults, header: bool = False
) -> Iterator[tuple[int, Pair]]:
    """Pairs of one tab-separated file, with their line numbers; ``columns`` are those of source and target, from 0.

    Fields are taken as they stand: a quotation mark is text. Further columns are ignored.

    Raises:
        DataError: no line has these columns, or a fault where faults are errors.
    """
    short = b""  # the first line that has too few columns, while none has had enough
    found = False
    for number, line in enumerate(lines(path), 1):
        if header and number == 1:
            continue
        fields = line.split(b"\t")
        if len(fields) <= max(columns):
            short = short or line[:_SHOWN]
            reason = "no tab" if len(fields) == 1 else f"{len(fields)} columns, too few"
            faults(reason, f"{path}:{number}")
            continue
        found = True
        sides = [parse(fields[column]) for column in columns]
        fault = sides[0].fault or sides[1].fault
        if fault:
            faults(fault, f"{path}:{number}")
        else:
            yield number, Pair(sides[0].text, sides[1].text)
    if short and not found:
        wanted = "a tab" if b"\t" not in short else f"column {max(columns)} (counted from 0)"
        raise DataError(
            f"{path}: no line has {wanted}; one begins {short.decode(errors='replace')!r}. Expected SOURCE<tab>TARGET "
            "in each (see columns), or two files with a side each: [source,target]"
        )


def deliver(items: Iterable[ItemT], report: Report, split: str, corpus: str, item: str = "pair") -> Iterator[ItemT]:
    """Pass items on, counted in the report.

    Raises:
        DataError: there was none.
    """
    report.begin(split)
    for each in items:
        report.keep(split)
        yield each
    if report.pairs[split] == 0:
        why = "; ".join(report.lines()) or "none was left for it by the sizes asked for"
        what = "sentence pair" if item == "pair" else item
        raise DataError(f"{corpus}: split {split!r} has no {what}: {why}")


def content_hash(settings: Mapping[str, object], files: Iterable[Path]) -> str:
    """SHA-256 of settings and file contents, read as streams."""
    parts: list[object] = [READING, dict(settings)]
    for path in files:
        try:
            with require_file(path).open("rb") as file:
                parts.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
