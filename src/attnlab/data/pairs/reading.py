"""Reading sentence pairs from files as streams, plain or gzip, UTF-8: JSON lines, as SNLI has them, TSV or CSV."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from attnlab.data.labelled.labels import spelled
from attnlab.data.labelled.tables import Column, fields, format_of, json_fields, kind
from attnlab.data.pairs.corpus import SentencePair, sentence_pair
from attnlab.data.reading import Faults
from attnlab.errors import ConfigError

Format = Literal["jsonl", "tsv", "csv"]
SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".json": "jsonl", ".tsv": "tsv", ".csv": "csv", ".txt": "tsv"}


class Places(NamedTuple):
    """Where the parts of a pair stand: by name, or by number from 0."""

    premise: Column = "sentence1"
    hypothesis: Column = "sentence2"
    label: Column | None = "gold_label"
    score: Column | None = None

    @property
    def named(self) -> dict[str, Column]:
        """Those that there are."""
        return {name: column for name, column in self._asdict().items() if column is not None}

    def check(self) -> None:
        """Raise ConfigError unless they are different ones of a kind."""
        columns = list(self.named.values())
        if len({type(column) for column in columns}) > 1 or len(set(columns)) < len(columns):
            told = ", ".join(f"{name}={column}" for name, column in self.named.items())
            raise ConfigError(f"dataset: {told}: expected different columns, all of them names or all numbers from 0")


def read(
    form: Format | None,
    places: Places,
    header: bool,
    quoted: bool | None,
    names: Mapping[str, str] | None,
    path: Path,
    faults: Faults,
) -> Iterator[SentencePair]:
    """The pairs of a file.

    Args:
        form: its format; None: by the end of its name.
        places: where the parts of a pair stand.
        header: skip the first line of a table whose columns are numbers.
        quoted: whether fields of a table may be quoted; None: in CSV.
        names: what labels are called; where there are some, no other label may come.
        path: the file.
        faults: what to do with a line that cannot be used.
    """
    found, columns = form or format_of(path, SUFFIXES), list(places.named.values())
    setting = ", ".join(f"dataset.{name}" for name in places.named)
    rows: Iterator[tuple[str, list[Any]]]
    if found == "jsonl":
        rows = json_fields(path, list(map(str, columns)), faults, setting)
    else:
        marks = found == "csv" if quoted is None else quoted
        mark = "," if found == "csv" else "\t"
        rows = fields(path, columns, faults, delimiter=mark, quoted=marks, header=header, setting=setting)
    told = partial(judged, names, faults)
    for where, values in rows:
        given = dict(zip(places.named, values, strict=True))
        if absent := [name for name, value in given.items() if value is None]:  # null, where JSON has nothing to say
            faults(f"no {absent[0]}", where)
        else:
            yield from told(where, **given)


def judged(
    names: Mapping[str, str] | None,
    faults: Faults,
    where: str,
    premise: Any,
    hypothesis: Any,
    label: Any = None,
    score: Any = None,
) -> Iterator[SentencePair]:
    """The pair, or what is wrong with it told."""
    for which, text in (("premise", premise), ("hypothesis", hypothesis)):
        if not isinstance(text, str):
            faults(f"the {which} is {kind(text)}", where)
            return
    if any("\ud800" <= character <= "\udfff" for character in f"{premise}{hypothesis}{label}"):
        faults("invalid UTF-8", where)
        return
    if isinstance(label, list | dict | float):
        faults(f"the label is {kind(label)}", where)
        return
    if isinstance(score, bool | list | dict):
        faults(f"the score is {kind(score)}", where)
        return
    found = sentence_pair(premise, hypothesis, None if label is None else spelled(label), score, names)
    if isinstance(found, str):
        faults(found, where)
    else:
        yield found
