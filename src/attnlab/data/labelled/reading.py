r"""Reading labelled texts from files as streams, plain or gzip, UTF-8.

Four forms: ``LABEL text`` (the label ends at the first blank), tab- or comma-separated columns, and JSON lines. Columns
are found by their names, which the first line then has, or by their numbers. Comma-separated fields may be quoted as in
RFC 4180, line ends within them too; tab-separated ones are taken as they stand unless they are said to be quoted.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from attnlab.data.files import LONGEST_LINE, lines
from attnlab.data.labelled.corpus import Examples, example
from attnlab.data.labelled.labels import spelled
from attnlab.data.labelled.tables import Column, fields, json_fields, kind
from attnlab.data.reading import Faults
from attnlab.types import ConfigError, DataError

Format = Literal["prefixed", "tsv", "csv", "jsonl"]
FIRST_LINES = 20  #: by which a table is told from labels and texts
HALF = re.compile("[\ud800-\udfff]")  # of a character: from bytes that are no UTF-8, or from JSON's escapes
Names = Mapping[str, str] | None  #: readable names of labels; where there are some, no other label may come
SUFFIXES: dict[str, Format] = {".txt": "prefixed", ".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".json": "jsonl"}


class Columns(NamedTuple):
    """Where text and label stand: by name, or by number from 0."""

    text: Column = "text"
    label: Column = "label"

    @classmethod
    def of_setting(cls, columns: Sequence[Column]) -> "Columns":
        """The setting ``dataset.columns``.

        Raises:
            ConfigError: they are not two different ones of a kind.
        """
        kinds = {type(column) for column in columns}
        if len(columns) != 2 or columns[0] == columns[1] or len(kinds) != 1:
            raise ConfigError(
                f"columns={list(columns)}: expected the column of the text and that of the label, "
                "two names ([text,label]) or two numbers from 0 ([0,1])"
            )
        if any(isinstance(column, int) and column < 0 for column in columns):
            raise ConfigError(f"columns={list(columns)}: columns are counted from 0")
        return cls(*columns)


def prefixed(path: Path, faults: Faults, names: Names = None, said: bool = True) -> Examples:
    """``LABEL text``, a line an example.

    Args:
        path: the file.
        faults: what to do with a line that cannot be used.
        names: what labels are called.
        said: the user has said that it is of this form; else one with a tab in each of its first lines is a table.

    Raises:
        DataError: it is a table.
    """
    first = [] if said else [line for line in islice(lines(path), FIRST_LINES) if line.strip()]
    if first and all(b"\t" in line for line in first):
        raise DataError(
            f"{path}: its lines have tabs, and a .txt is read as LABEL text, parted by a blank; set dataset.format=tsv "
            "and dataset.columns=[0,1] (the columns of text and label, or their names in the first line), or "
            "dataset.format=prefixed"
        )
    for number, line in enumerate(lines(path), 1):
        label, _, text = line.decode("utf-8", "surrogateescape").partition(" ")
        yield from judged(text, label, faults, f"{path}:{number}", names)


def separated(
    path: Path,
    columns: Columns,
    faults: Faults,
    *,
    delimiter: str = "\t",
    quoted: bool = False,
    header: bool = False,
    names: Names = None,
) -> Examples:
    """Columns of a table.

    Args:
        path: the file.
        columns: those of text and label.
        faults: what to do with a row that cannot be used.
        delimiter: between fields.
        quoted: whether a quotation mark at the beginning of a field is none of its text.
        header: whether the first line names the columns; columns that have names say so themselves.
        names: what labels are called.

    Raises:
        DataError: no such columns, or a quotation that does not end.
    """
    rows = fields(path, columns, faults, delimiter=delimiter, quoted=quoted, header=header)
    for where, (text, label) in rows:
        yield from judged(text, label, faults, where, names)


def json_lines(path: Path, columns: Columns, faults: Faults, names: Names = None) -> Examples:
    """A JSON object a line.

    Raises:
        DataError: no line has the keys.
    """
    for where, (text, label) in json_fields(path, list(map(str, columns)), faults):
        yield from from_values(text, label, faults, where, names)


def from_values(text: Any, label: Any, faults: Faults, where: str, names: Names = None) -> Examples:
    """A text and a label as a program has them: a label may be a number or a truth value."""
    if not isinstance(text, str):
        faults("no text" if text is None else f"the text is {kind(text)}", where)
    elif len(text.encode("utf-8", "surrogatepass")) > LONGEST_LINE:
        faults(f"over {LONGEST_LINE} bytes", where)
    elif isinstance(label, float) and not math.isfinite(label):  # what libraries write where there is none
        faults("no label" if math.isnan(label) else "the label is infinite", where)
    elif isinstance(label, str | int | float):
        yield from judged(text, spelled(label), faults, where, names)
    else:
        faults("no label" if label is None else f"the label is {kind(label)}", where)


def judged(text: str, label: str, faults: Faults, where: str, names: Names = None) -> Examples:
    """The example, or what is wrong with it told."""
    if HALF.search(text) or HALF.search(label):
        faults("invalid UTF-8", where)
        return
    found = example(text, label, names)
    if isinstance(found, str):
        faults(found, where)
    else:
        yield found
