r"""A set of labelled texts of the Hugging Face hub, or local files, through the ``datasets`` library (an extra).

    python train.py dataset=huggingface_labelled dataset.path=ag_news dataset.val_split=null
    python train.py dataset=huggingface_labelled dataset.path=parquet dataset.data_files='{train: my.parquet}' \
        dataset.text=review dataset.label=stars dataset.val_split=null dataset.test_split=null

A column of classes is read by their names where the set has some (``ClassLabel``).
"""

from collections.abc import Mapping
from functools import cached_property, partial
from textwrap import shorten
from typing import Any

from attnlab.data.corpus import Report
from attnlab.data.hub import LONGEST_LIST, DataFiles, Hub
from attnlab.data.labelled.corpus import Example, Examples
from attnlab.data.labelled.reading import from_values
from attnlab.data.reading import Faults, Malformed, content_hash
from attnlab.data.splitting import Size, Split, Splits
from attnlab.ranges import PathText, Seed
from attnlab.types import DataError


class HuggingfaceLabelled(Split[Example]):
    """Any set of texts and classes that ``datasets.load_dataset`` opens.

    Args:
        path: name on the hub, a local folder, or a builder such as "json", "csv" or "parquet".
        text: column of the text.
        label: column of its class.
        subset: configuration of the set (``name`` in ``datasets``).
        revision: commit or tag on the hub, to pin the content.
        data_files: split to file or files, for the builders.
        train_split: its name in the set (a slice such as "train[:10000]" works).
        val_split: likewise; null: held out from train.
        test_split: likewise; null: held out from train.
        val_size: texts (int) or share (float below 1) to hold out, at most; read where ``val_split`` is null.
        test_size: likewise.
        split_seed: of that draw.
        malformed: leave rows without a text or a label out with a count, or stop at the first.
    """

    name = "huggingface_labelled"
    labelled = True

    def __init__(
        self,
        path: PathText,
        text: str = "text",
        label: str = "label",
        subset: str | None = None,
        revision: str | None = None,
        data_files: DataFiles | None = None,
        train_split: str = "train",
        val_split: str | None = "validation",
        test_split: str | None = "test",
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
    ) -> None:
        self.report = Report()
        self._hub = Hub(self.name, path, subset, revision, data_files)
        self._text, self._label, self._malformed = text, label, malformed
        names = {"train": train_split, "val": val_split, "test": test_split}
        self._names = {split: name for split, name in names.items() if name is not None}
        streams = {split: partial(self._stream, name) for split, name in self._names.items()}
        self._splits = Splits(self.name, streams, "sentence", val_size, test_size, split_seed, item="example")
        self._selection = (val_size, test_size, split_seed, malformed)

    def fingerprint(self) -> str:
        settings = {
            "corpus": self.name,
            "columns": (self._text, self._label),
            "selection": self._selection,
            "splits": self._names,
            "content": {split: self._hub.content(name) for split, name in self._names.items()},
        }
        return content_hash(settings, [])

    def _stream(self, name: str, report: Report, split: str) -> Examples:
        faults = Faults(self._malformed, report, split)
        for number, row in enumerate(self._hub.rows(name)):
            if not isinstance(row, Mapping) or self._text not in row or self._label not in row:
                there = shorten(", ".join(map(str, row)), LONGEST_LIST, placeholder=" …")
                raise DataError(
                    f"{self._hub.path} {name}: no columns {self._text!r} and {self._label!r}; there is {there}. Set "
                    "dataset.text and dataset.label"
                )
            yield from from_values(row[self._text], self._named(row[self._label]), faults, f"{name} row {number}")

    def _named(self, label: Any) -> Any:
        """The name of a class that the set has by its number; what is -1 is kept secret."""
        names = self._classes
        if isinstance(label, bool) or not isinstance(label, int) or not names:
            return label
        return names[label] if 0 <= label < len(names) else None

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        features = getattr(self._hub.load(next(iter(self._names.values()))), "features", None) or {}
        return tuple(getattr(features.get(self._label), "names", None) or ())
