"""A set of the Hugging Face hub, or local files, through the ``datasets`` library (an extra): opened, read, told of.

Reading streams from the memory-mapped files that ``datasets`` keeps.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any, Protocol, runtime_checkable

from attnlab.data import files
from attnlab.data.text import Field, parse
from attnlab.types import ConfigError, DataError

LONGEST_LIST = 400  #: characters of what a set has, or of what the library says, in a message
DataFiles = dict[str, str | list[str]]


@runtime_checkable
class Rows(Protocol):
    """What is used of ``datasets.Dataset``."""

    cache_files: list[dict[str, str]]

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


class Hub:
    """Any set that ``datasets.load_dataset`` opens.

    Args:
        dataset: the option of the group ``dataset`` that asks, for messages.
        path: name on the hub, a local folder, or a builder such as "json", "csv" or "parquet".
        subset: configuration of the set (``name`` in ``datasets``).
        revision: commit or tag on the hub, to pin the content.
        data_files: split to file or files, for the builders.
    """

    def __init__(
        self, dataset: str, path: str, subset: str | None, revision: str | None, data_files: DataFiles | None
    ) -> None:
        self.dataset, self.path, self.subset, self.revision = dataset, path, subset, revision
        self.data_files = data_files and {
            split: files if isinstance(files, str) else list(files) for split, files in data_files.items()
        }
        self._loaded: dict[str, Rows] = {}

    def load(self, name: str) -> Rows:
        """One split of the set, opened once.

        Raises:
            ConfigError: the ``datasets`` library is not installed.
            DataError: it cannot open the set, in its own words.
        """
        if name not in self._loaded:
            try:
                from datasets import load_dataset
            except ImportError as error:
                raise ConfigError(
                    f"dataset={self.dataset} needs the library 'datasets': pip install 'attnlab[huggingface]'"
                ) from error
            options = {"split": name, "revision": self.revision, "data_files": self.data_files}
            with self._told(name):
                self._loaded[name] = load_dataset(self.path, self.subset, **options)
        return self._loaded[name]

    def content(self, name: str) -> list[str]:
        """What a split consists of, for a fingerprint."""
        rows = self.load(name)
        with self._told(name):
            return _content(rows)

    def rows(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The rows of a split."""
        rows = self.load(name)
        with self._told(name):
            yield from rows

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Tell what the library says of a set; of other people's files it may raise anything.

        Raises:
            DataError: it has raised something.
        """
        try:
            yield
        except (ConfigError, DataError, MemoryError):
            raise
        except Exception as error:
            told = (str(error.__cause__ or ""), str(error), type(error).__name__)
            why = " ".join(next(filter(str.strip, told)).split())
            raise DataError(
                f"{self.dataset}: path={self.path}, subset={self.subset}, split {name!r}: "
                + shorten(why, LONGEST_LIST, placeholder=" …")
            ) from error


def _content(rows: Rows) -> list[str]:
    """Hashes of the files behind a set; of its rows where it lies in memory."""
    if rows.cache_files:
        return [str(len(rows)), *(_file_hash(Path(entry["filename"])) for entry in rows.cache_files)]
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, default=str).encode())
    return [str(len(rows)), digest.hexdigest()]


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_of(text: Any) -> Field:
    """One side of a row as any line of a file is taken; what is no text (null, a number, a list) is none."""
    if not isinstance(text, str):
        return Field("", "empty side")
    raw = text.encode("utf-8", "surrogatepass")
    return Field("", f"over {files.LONGEST_LINE} bytes") if len(raw) > files.LONGEST_LINE else parse(raw)
