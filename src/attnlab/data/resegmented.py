"""Training pairs that are cut anew in every epoch (BPE-dropout).

What a pair is cut into depends on the seed, the epoch and its number alone: not on the batch that it is in, the process
that reads it, or what was read before; so a run that stopped within an epoch goes on with the same pieces.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnlab.data.prepared.folder import Prepared
from attnlab.data.prepared.ragged import row_text
from attnlab.data.sentences import Drawn, Flat, Rows, Sentences
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.bpe_dropout import BpeDropout
from attnlab.errors import ConfigError

PURPOSE = 2  #: of a stream of random numbers: 0 and 1 are the order of the batches


class Joined(NamedTuple):
    """Rows one after another."""

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> "Joined":
        arrays = [np.asarray(row, np.int32) for row in rows]
        return cls(np.concatenate(arrays), np.cumsum([0, *map(len, arrays)]))


class Ahead(NamedTuple):
    """An epoch that was cut before its batches are read."""

    epoch: int
    rows: Rows
    source: Joined
    target: Joined


class Resegmented(Sentences):
    """The training split.

    Args:
        data: opened; its tokenizers are BPE.
        dropout: share of the merges that is left out.
        longest: tokens of either side; a side that is cut into more is read as it is without dropout.
        seed: of the run.
        multiple: columns that batches are padded to.
    """

    def __init__(self, data: Prepared, dropout: float, longest: tuple[int, int], seed: int, multiple: int = 1) -> None:
        super().__init__(*data.ids("train"), multiple)
        check_bpe_dropout(dropout, data.tokenizers)
        self.texts, self.longest, self.seed = data.columns("train"), longest, seed
        self.cutters = [BpeDropout(tokenizer, dropout) for tokenizer in data.tokenizers if isinstance(tokenizer, Bpe)]
        self._ahead: Ahead | None = None

    def read(self, rows: Sequence[int], index: Rows) -> tuple[Flat, Flat, Rows]:
        """As it is without dropout, but for training batches, which know their epoch."""
        if not isinstance(rows, Drawn):
            return super().read(rows, index)
        if self._ahead is not None and self._ahead.epoch == rows.epoch:
            return self._ahead.source, self._ahead.target, np.searchsorted(self._ahead.rows, index)
        return (*self._cut_all(rows, rows.epoch), np.arange(len(rows)))

    def redrawn(self, rows: Rows, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cut all rows (in ascending order) of an epoch ahead; how many tokens both sides of each have.

        Loading processes that run already do not see it, and cut each batch themselves: into the same.
        """
        source, target = self._cut_all(rows.tolist(), epoch)
        self._ahead = Ahead(epoch, rows, source, target)
        return np.diff(source.offsets), np.diff(target.offsets)

    def _cut_all(self, rows: Sequence[int], epoch: int) -> tuple[Joined, Joined]:
        source, target = zip(*(self.cut(row, epoch) for row in rows), strict=True)
        return Joined.of(source), Joined.of(target)

    def cut(self, row: int, epoch: int) -> list[Sequence[int]]:
        """The ids of both sides of a pair."""
        draws = np.random.default_rng([self.seed, epoch, PURPOSE, row])
        sides = zip(self.cutters, self.texts, (self.source, self.target), self.longest, strict=True)
        found: list[Sequence[int]] = []
        for cutter, texts, whole, longest in sides:
            ids = cutter.encode(row_text(texts[row]), draws)
            found.append(ids if len(ids) <= longest else whole[row].tolist())
        return found


def check_bpe_dropout(dropout: float, tokenizers: Iterable[Tokenizer]) -> None:
    """Refuse tokenizers that make no merges.

    Raises:
        ConfigError: with what to choose.
    """
    for tokenizer in tokenizers:
        if not isinstance(tokenizer, Bpe):
            name = type(tokenizer).__name__.lower()
            raise ConfigError(
                f"data.bpe_dropout={dropout} leaves out merges of byte-pair encoding, and tokenizer={name} makes none: "
                "choose tokenizer=bpe, or set data.bpe_dropout=0"
            )
