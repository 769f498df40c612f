r"""A translation set of the Hugging Face hub, or local files, through the ``datasets`` library (an extra).

    python train.py dataset=huggingface dataset.path=Helsinki-NLP/opus_books dataset.subset=en-fr \
        dataset.source_language=en dataset.target_language=fr dataset.val_split=null dataset.test_split=null
    python train.py dataset=huggingface dataset.path=json dataset.data_files='{train: my.jsonl}' …

Rows have either one column with a mapping of language to text (``{"translation": {"en": …, "fr": …}}``, the
usual form) or two text columns. Reading streams from the memory-mapped files that ``datasets`` keeps.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from textwrap import shorten
from typing import Any

from attnlab.data.corpus import Pair, Report
from attnlab.data.hub import LONGEST_LIST, Hub, text_of
from attnlab.data.reading import Faults, Malformed, content_hash
from attnlab.data.splitting import Apart, Size, SplitCorpus, Splits
from attnlab.ranges import PathText, Seed
from attnlab.types import ConfigError, DataError


class Huggingface(SplitCorpus):
    """Any set that ``datasets.load_dataset`` opens.

    Args:
        path: name on the hub, a local folder, or a builder such as "json", "csv" or "parquet".
        source_language: ISO 639-1 code; key in the translation column.
        target_language: likewise.
        subset: configuration of the set, such as "de-en" (``name`` in ``datasets``).
        revision: commit or tag on the hub, to pin the content.
        data_files: split to file or files, for the builders.
        train_split: its name in the set (a slice such as "train[:10000]" works).
        val_split: likewise; null: held out from train.
        test_split: likewise; null: held out from train.
        column: the translation column.
        source_column: text column of the source; with ``target_column``, instead of ``column``.
        target_column: likewise.
        val_size: pairs (int) or share (float below 1) to hold out, at most; read where ``val_split`` is null.
        test_size: likewise.
        split_seed: of that draw.
        apart: no two splits share a "pair", or no two share a "sentence" of either side.
        malformed: leave rows without text on a side out with a count, or stop at the first.
    """

    name = "huggingface"

    def __init__(
        self,
        path: PathText,
        source_language: str,
        target_language: str,
        subset: str | None = None,
        revision: str | None = None,
        data_files: dict[str, str | list[str]] | None = None,
        train_split: str = "train",
        val_split: str | None = "validation",
        test_split: str | None = "test",
        column: str = "translation",
        source_column: str | None = None,
        target_column: str | None = None,
        val_size: Size = 1000,
        test_size: Size = 1000,
        split_seed: Seed = 0,
        apart: Apart = "pair",
        malformed: Malformed = "skip",
    ) -> None:
        if (source_column is None) != (target_column is None):
            raise ConfigError("huggingface: source_column and target_column go together; set both or neither")
        self.source_language, self.target_language = source_language, target_language
        self.report = Report()
        self._hub = Hub(self.name, path, subset, revision, data_files)
        self._column, self._two = column, (source_column, target_column)
        self._malformed: Malformed = malformed
        names = {"train": train_split, "val": val_split, "test": test_split}
        self._names = {split: name for split, name in names.items() if name is not None}
        streams = {split: partial(self._stream, name) for split, name in self._names.items()}
        self._splits = Splits(self.name, streams, apart, val_size, test_size, split_seed)
        self._selection = (val_size, test_size, split_seed, apart, malformed)

    def fingerprint(self) -> str:
        settings = {
            "corpus": self.name,
            "languages": (self.source_language, self.target_language),
            "columns": (self._column, *self._two),
            "selection": self._selection,
            "splits": self._names,
            "content": {split: self._hub.content(name) for split, name in self._names.items()},
        }
        return content_hash(settings, [])

    def _stream(self, name: str, report: Report, split: str) -> Iterator[Pair]:
        faults = Faults(self._malformed, report, split)
        wrong, found = "", False  # of the first row that has no such columns, while none has had them
        for number, row in enumerate(self._hub.rows(name)):
            sides = self._sides(row)
            if sides is None:
                wrong = wrong or self._columns_of(row)
                if not set(self._wanted[0]) & set(row):
                    break  # no row has another column than the first
                faults("no such languages", f"{self._hub.path} {name} row {number}")
                continue
            found = True
            source, target = map(text_of, sides)
            if fault := source.fault or target.fault:
                faults(fault, f"{self._hub.path} {name} row {number}")
            else:
                yield Pair(source.text, target.text)
        if wrong and not found:
            _, keys, options = self._wanted
            raise DataError(f"{self._hub.path} {name}: no {keys[0]!r} and {keys[1]!r} in {wrong}; set {options}")

    @cached_property
    def _wanted(self) -> tuple[tuple[str, ...], tuple[str, str], str]:
        """The columns of the set, the keys of the two texts in it or in them, and the settings that say so."""
        source, target = self._two
        if source is not None and target is not None:
            return (source, target), (source, target), "source_column, target_column"
        options = "column (or source_column and target_column), source_language, target_language"
        return (self._column,), (self.source_language, self.target_language), options

    def _sides(self, row: Mapping[str, Any]) -> tuple[Any, Any] | None:
        """Source and target of a row, each None where the translation of this row is null; None if it has no such."""
        columns, keys, _ = self._wanted
        holder = row if len(columns) > 1 else row.get(columns[0])
        if holder is None and columns[0] in row:
            return None, None
        if not isinstance(holder, Mapping) or not all(key in holder for key in keys):
            return None
        return holder[keys[0]], holder[keys[1]]

    @staticmethod
    def _columns_of(row: Mapping[str, Any]) -> str:
        found = {key: sorted(value) if isinstance(value, Mapping) else "text" for key, value in row.items()}
        return shorten(str(found), LONGEST_LIST, placeholder=" …")
