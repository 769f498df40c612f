"""Tables and JSON lines as streams of the fields that are wanted, whatever these are: a text and a label, a pair.

Columns are found by their names, which the first line then has, or by their numbers. Comma-separated fields may be
quoted as in RFC 4180, line ends within them too; tab-separated ones are taken as they stand unless they are said to be
quoted.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attnlab.data.files import LONGEST_LINE, lines
from attnlab.data.reading import Faults
from attnlab.types import ConfigError, DataError

Column = int | str
FormatT = TypeVar("FormatT", bound=str)
BOM = b"\xef\xbb\xbf"


def format_of(path: Path, suffixes: Mapping[str, FormatT]) -> FormatT:
    """By the end of the name, ``.gz`` aside.

    Raises:
        ConfigError: it says nothing.
    """
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in suffixes:
        *others, last = dict.fromkeys(suffixes.values())
        raise ConfigError(
            f"{path}: the end of its name does not say what it is; expected {', '.join(suffixes)}, or set "
            f"dataset.format to {', '.join(others)} or {last}"
        )
    return suffixes[suffix]


def fields(
    path: Path,
    columns: Sequence[Column],
    faults: Faults,
    *,
    delimiter: str = "\t",
    quoted: bool = False,
    header: bool = False,
    setting: str = "dataset.columns",
) -> Iterator[tuple[str, list[str]]]:
    """The wanted fields of each row, and where it stands.

    Args:
        path: the file.
        columns: the wanted ones, all by name or all by number.
        faults: what to do with a row that cannot be used.
        delimiter: between fields.
        quoted: whether a quotation mark at the beginning of a field is none of its text.
        header: whether the first line names the columns; columns that have names say so themselves.
        setting: where columns are set, for messages.

    Raises:
        DataError: no such columns, or a quotation that does not end.
    """
    rows = table(path, delimiter, quoted)
    # Fields, where the first line names them: with one more, a text has a delimiter, and all behind it is moved.
    most, at = None, [column for column in columns if isinstance(column, int)]
    if header or len(at) < len(columns):
        _, first = next(rows, (0, []))
        if not first:
            raise DataError(f"{path}: nothing but empty lines")
        at = [place(first, column, path, setting) for column in columns]
        most = len(first)
    found, short, number = False, "", 0
    for number, row in rows:
        if len(row) <= max(at):
            short = short or f"line {number} has {len(row)}"
            faults(f"{len(row)} columns, too few", f"{path}:{number}")
            continue
        if most is not None and len(row) > most:
            faults(
                f"{len(row)} columns, the first line has {most} (quote a text that has {delimiter!r})",
                f"{path}:{number}",
            )
            continue
        found = True
        yield f"{path}:{number}", [row[column] for column in at]
    if not number and most is not None:
        raise DataError(f"{path}: a first line with the names of columns, and no example behind it")
    if short and not found:
        raise DataError(
            f"{path}: no line has column {max(at)} (counted from 0); {short}, parted by {delimiter!r}. "
            f"Set {setting}, or dataset.format"
        )


def table(path: Path, delimiter: str, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line where each ends; empty lines are passed over."""
    texts = (line.removeprefix(BOM).decode("utf-8", "surrogateescape") for line in lines(path))  # Excel writes one
    if not quoted:
        for number, text in enumerate(texts, 1):
            if text.strip():
                yield number, text.split(delimiter)
        return
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader((f"{text}\n" for text in texts), delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{path}:{reader.line_num}: no row of quoted fields ({error}); expected a quotation mark within a "
                'quoted field twice (""), or set dataset.quoted=false where marks are text'
            ) from None
        if row is None:
            return
        if row and any(row):
            yield reader.line_num, row


def place(names: Sequence[str], column: Column, path: Path, setting: str) -> int:
    """The number of a column by its name.

    Raises:
        DataError: there is none of this name; which ones there are.
    """
    known = [name.strip() for name in names]
    if isinstance(column, int):
        return column
    if column in known:
        return known.index(column)
    shown = ", ".join(repr(name[:30]) for name in known[:8])
    if len(known) == 1 and (other := next((mark for mark in ";,\t|" if mark in known[0]), None)):
        raise DataError(
            f"{path}: the first line has one column, {shown}; it seems to be parted by {other!r}. Expected commas in "
            ".csv and tabs in .tsv; dataset.format says which"
        )
    raise DataError(
        f"{path}: no column is called {column!r}; the first line has {shown}. Set {setting} to the names "
        "that it has, or to their numbers from 0 where the first line is an example already"
    )


def json_fields(
    path: Path, keys: Sequence[str], faults: Faults, setting: str = "dataset.columns"
) -> Iterator[tuple[str, list[Any]]]:
    """The wanted values of each line, a JSON object, and where it stands.

    Raises:
        DataError: no line has the keys.
    """
    for where, row in json_objects(path, [[key] for key in keys], faults, setting):
        yield where, [row[key] for key in keys]


def json_objects(
    path: Path, keys: Sequence[Sequence[str]], faults: Faults, setting: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of JSON lines that have the keys, and where each stands.

    Args:
        path: the file.
        keys: of each sequence an object has one at least.
        faults: what to do with a line that cannot be used.
        setting: where keys are set, for the message.

    Raises:
        DataError: no line has the keys.
    """
    found, there = False, ""
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults(f"no JSON ({type(error).__name__})", where)
            continue
        if not isinstance(row, dict):
            there = there or kind(row)
            faults(f"{kind(row)}, expected an object with keys", where)
            continue
        if missing := [" or ".join(either) for either in keys if not any(key in row for key in either)]:
            there = there or (", ".join(list(row)[:8]) or "none")
            faults(f"no {' and no '.join(missing)}", where)
            continue
        found = True
        yield where, row
    if there and not found:
        wanted = " and ".join(" or ".join(map(repr, either)) for either in keys)
        raise DataError(f"{path}: no line has the keys {wanted}; one has {there}. Set {setting}")


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    words = {bool: "a truth value", str: "a text", list: "a list", dict: "an object", type(None): "null"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")
