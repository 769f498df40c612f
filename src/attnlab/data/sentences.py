"""Token ids of a split as padded tensors."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from attnlab.data.prepared.ragged import Ragged
from attnlab.types import BOS, EOS, NO_SENTENCE, PAD, Batch

Rows = NDArray[np.int64]


class Weightless(list[int]):
    """Rows that keep a process at work while others have a batch: nothing of them is to be predicted or counted."""


class Drawn(list[int]):
    """Rows of a training batch, of an epoch."""

    def __init__(self, rows: Iterable[int], epoch: int) -> None:
        super().__init__(rows)
        self.epoch = epoch


class Sentences(Dataset[Batch]):
    """Token ids of a split; a list of rows comes back as one batch, padded to a ``multiple`` of columns."""

    def __init__(self, source: Ragged, target: Ragged, multiple: int = 1) -> None:
        self.source, self.target, self.multiple = source, target, multiple

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, row: int) -> Batch:
        return self.__getitems__([row])

    def __getitems__(self, rows: Sequence[int]) -> Batch:
        index = np.asarray(rows, np.int64)
        source_ids, target_ids, places = self.read(rows, index)
        source, source_mask = padded(source_ids, places, self.multiple)
        words, word_mask = padded(target_ids, places, self.multiple, more=1)
        lengths = word_mask.sum(1)
        target = np.full((len(index), words.shape[1] + 2), PAD, np.int64)  # (B, T) -> (B, 1 + T + 1)
        target[:, 0] = BOS
        target[:, 1:-1] = words
        target[np.arange(len(index)), lengths + 1] = EOS
        target_mask = np.arange(target.shape[1] - 1) <= lengths[:, None]
        if isinstance(rows, Weightless):
            target_mask, index = np.zeros_like(target_mask), np.full_like(index, NO_SENTENCE)
        return Batch(
            source=torch.from_numpy(source),
            source_mask=torch.from_numpy(source_mask),
            target=torch.from_numpy(target),
            target_mask=torch.from_numpy(target_mask),
            tokens=torch.from_numpy(np.flatnonzero(target_mask)),
            index=torch.from_numpy(index),
        )

    def read(self, rows: Sequence[int], index: Rows) -> "tuple[Flat, Flat, Rows]":
        """Both sides, and where in them the rows stand, which ``index`` has as an array."""
        return self.source, self.target, index


@runtime_checkable
class Flat(Protocol):
    """Rows one after another."""

    @property
    def values(self) -> NDArray[Any]: ...
    @property
    def offsets(self) -> NDArray[Any]: ...


def padded(ragged: Flat, rows: Rows, multiple: int = 1, more: int = 0) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows as ``(ids [B, T], mask [B, T])`` with PAD behind, T + ``more`` a ``multiple``."""
    starts = ragged.offsets[rows]
    lengths = ragged.offsets[rows + 1] - starts
    longest = int(lengths.max(initial=0)) + more
    places = np.arange(longest + -longest % multiple - more)
    mask = places < lengths[:, None]
    ids = np.full(mask.shape, PAD, np.int64)
    ids[mask] = ragged.values[(starts[:, None] + places)[mask]]
    return ids, mask
