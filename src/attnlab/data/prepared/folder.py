"""A prepared folder as it is read: see :mod:`attnlab.data.prepared.prepare` for what is in it."""

import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attnlab.data.corpus import Alignment, Pair
from attnlab.data.prepared.ragged import Ragged, row_text
from attnlab.data.tokenizers.load import load

SIDES = ("source", "target")

log = logging.getLogger(__name__)


class Prepared:
    """A prepared folder, opened through memory maps; neither the corpus nor a fitting library is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        self.splits: tuple[str, ...] = tuple(self.meta["splits"])
        self.tokenizers = [load(folder / "tokenizer" / f"{side}.json") for side in SIDES]
        self._texts = {split: open_texts(folder / split) for split in self.splits}

    def ids(self, split: str) -> tuple[Ragged, Ragged]:
        """Source and target ids of a split."""
        folder = self.folder / split
        return Ragged(folder / "source.ids"), Ragged(folder / "target.ids")

    def columns(self, split: str) -> tuple[Ragged, Ragged]:
        """The raw UTF-8 of both sides of a split."""
        source, target, _ = self._texts[split]
        return source, target

    def targets(self, split: str, rows: Iterable[int]) -> Iterator[str]:
        """The raw target side of these rows of a split."""
        column = self._texts[split][1]
        return (row_text(column[row]) for row in rows)

    def text(self, split: str, index: int) -> Pair:
        """The raw pair at ``index``, with its gold alignment where there is one."""
        return read_pair(self._texts[split], index)


def open_texts(folder: Path) -> list[Ragged]:
    """Columns source, target and alignment of a split's folder."""
    return [Ragged(folder / name) for name in (*SIDES, "alignment")]


def read_pair(texts: list[Ragged], row: int) -> Pair:
    """One row of :func:`open_texts`."""
    source, target, alignment = (row_text(column[row]) for column in texts)
    if not alignment:
        return Pair(source, target)
    source_words, target_words, sure, possible = json.loads(alignment)
    links = [tuple((s, t) for s, t in kind) for kind in (sure, possible)]
    return Pair(source, target, Alignment(tuple(source_words), tuple(target_words), *links))


def complete(folder: Path) -> bool:
    """Whether every file of a prepared folder is there with the content that was written."""
    if not folder.exists():
        return False
    try:
        files = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["files"]
        whole = bool(files) and all(checksum(folder / name) == expected for name, expected in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        log.warning("%s is damaged and is built again", folder)
    return whole


def checksum(path: Path) -> list[int]:
    """``[bytes, CRC-32]`` of a file."""
    crc = size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 16):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return [size, crc]
