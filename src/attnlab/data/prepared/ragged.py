"""Rows of different lengths in two ``.npy`` files, written as a stream and read through memory maps."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray


class _Column:
    """A one-dimensional ``.npy`` file that grows; its header is written again at the end, with the length."""

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self.length = 0
        self.file: BinaryIO = path.open("wb")
        self._header()

    def append(self, values: NDArray[Any]) -> None:
        self.file.write(np.ascontiguousarray(values, self.dtype).tobytes())
        self.length += len(values)

    def close(self) -> None:
        self.file.seek(0)
        self._header()
        self.file.close()

    def _header(self) -> None:
        # numpy leaves room for 21 digits of the growing axis, so the second header is as long as the first
        np.lib.format.write_array_header_1_0(
            self.file,
            {
                "descr": np.lib.format.dtype_to_descr(self.dtype),
                "fortran_order": False,
                "shape": (self.length,),
            },
        )


class RaggedWriter:
    """Writes rows; memory holds one call's rows. Use it as a context manager.

    Args:
        path: the files are ``<path>.values.npy`` and ``<path>.offsets.npy``.
        dtype: of the values.
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._values = _Column(values_file(path), dtype)
        self._offsets = _Column(offsets_file(path), np.int64)
        self._offsets.append(np.zeros(1, np.int64))

    def extend(self, rows: Iterable[NDArray[Any]]) -> None:
        """Append rows."""
        rows = list(rows)
        if not rows:
            return
        self.append(np.concatenate(rows), np.array([len(row) for row in rows], np.int64))

    def append(self, values: NDArray[Any], lengths: NDArray[np.int64]) -> None:
        """Append rows that lie one after another in ``values``."""
        ends = np.cumsum(lengths) + self._values.length
        self._values.append(values)
        self._offsets.append(ends)

    def __enter__(self) -> "RaggedWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._values.close()
        self._offsets.close()


class Ragged:
    """Rows on disk; a process that it is sent to opens the files again instead of getting a copy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: NDArray[Any] = np.load(values_file(path), mmap_mode="r")
        self.offsets: NDArray[np.int64] = np.load(offsets_file(path), mmap_mode="r")

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each row."""
        return np.diff(self.offsets)

    def __getitem__(self, row: int) -> NDArray[Any]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __reduce__(self) -> tuple[type["Ragged"], tuple[Path]]:
        return Ragged, (self.path,)


def values_file(path: Path) -> Path:
    """Where the values of the rows at ``path`` are."""
    return path.with_name(path.name + ".values.npy")


def offsets_file(path: Path) -> Path:
    """Where the row starts are: one more than rows."""
    return path.with_name(path.name + ".offsets.npy")


def text_bytes(text: str) -> NDArray[np.uint8]:
    """A text as a row."""
    return np.frombuffer(text.encode(), np.uint8)


def row_text(row: NDArray[np.uint8]) -> str:
    """A row as a text."""
    return row.tobytes().decode()
