"""Rows into batches: which ones together, and in which order; and a loader that can go on where it stopped.

Two ways to bound a batch, which may be combined: ``sentences`` counts rows; ``tokens`` bounds the padded
size, that is rows times the longest side of any of them, where a target counts with its EOS. A sentence that
is longer than the budget is a batch of its own.

The order is a pure function of (seed, epoch, processes), so a run that stopped can go on exactly where it
was. Lightning takes the number of batches from the first epoch, hence it is the same in every epoch:

* bounded by ``sentences`` alone: shuffled rows are cut into pools of ``pool`` batches, each pool is sorted by
  length and cut into batches;
* bounded by ``tokens``: all rows are sorted by length with equal lengths shuffled, so that the cuts depend on
  the lengths only (``pool`` has no part in it).

Then the batches are shuffled. With several processes they are shuffled in groups of neighbours, one for each,
so that all work on similar lengths; where the last group is short, the processes left over get a sentence without
weight (``Weightless``), so that an epoch is every sentence once on any number of processes.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from attnlab.data.sentences import Drawn, Rows, Weightless
from attnlab.types import ConfigError

Redrawn = Callable[[Rows, int], tuple[NDArray[np.int64], NDArray[np.int64]]]


class TrainingBatches(Sampler[list[int]]):
    """Batches of an epoch for this process.

    Args:
        rows: the rows of the split to use.
        source_lengths, target_lengths: tokens of each of them, without BOS and EOS.
        sentences: rows in a batch at most.
        tokens: bound of the padded size, see the module.
        pool: batches that are sorted by length together.
        seed: of the order.
        share: ``(rank, processes)``.
        multiple: columns that batches are padded to; ``tokens`` counts them.
        same: every epoch has the order of the first one.
        redrawn: rows and epoch -> the lengths that they have in that epoch, where they differ. Batches bounded by
            ``tokens`` go by the given ones all the same, as their number has to stay.
    """

    def __init__(
        self,
        rows: Rows,
        source_lengths: NDArray[np.int64],
        target_lengths: NDArray[np.int64],
        *,
        sentences: int | None,
        tokens: int | None,
        pool: int,
        seed: int,
        share: tuple[int, int] = (0, 1),
        multiple: int = 1,
        same: bool = False,
        redrawn: Redrawn | None = None,
    ) -> None:
        check_bounds(sentences, tokens, pool, seed)
        self.rows = rows
        self.lengths = np.maximum(source_lengths, target_lengths + 1)
        if tokens is not None:
            self.lengths = -(-self.lengths // multiple) * multiple
        self.target_lengths = target_lengths
        self.sentences, self.tokens, self.pool = sentences, tokens, pool
        self.seed = seed
        self.rank, self.processes = share
        self.same, self.epoch, self.redrawn = same, 0, redrawn
        self.skip = 0  #: batches of this epoch that were handed out before the run stopped
        self.sampler = self  # Lightning calls batch_sampler.sampler.set_epoch
        self._length = -(-len(self._cuts(0, self.lengths, self.target_lengths)) // self.processes)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; what was to be skipped of another epoch is forgotten."""
        if epoch != self.epoch:
            self.epoch, self.skip = epoch, 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[int]]:
        epoch = 0 if self.same else self.epoch
        batches: list[list[int]] = [Drawn(batch.tolist(), epoch) for batch in self._cuts(epoch, *self._lengths(epoch))]
        shortest = Weightless([int(self.rows[self.lengths.argmin()])])
        batches += [shortest] * (-len(batches) % self.processes)
        groups = np.random.default_rng([self.seed, epoch, 1]).permutation(len(batches) // self.processes)
        for group in groups[self.skip :]:
            yield batches[group * self.processes + self.rank]

    def _lengths(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The longer side, which decides, and the target."""
        if self.redrawn is None or self.tokens is not None:
            return self.lengths, self.target_lengths
        source, target = self.redrawn(self.rows, epoch)
        return np.maximum(source, target + 1), target

    def _cuts(self, epoch: int, lengths: NDArray[np.int64], target_lengths: NDArray[np.int64]) -> list[Rows]:
        """The batches of an epoch, neighbours alike in length."""
        shuffled = np.random.default_rng([self.seed, epoch, 0]).permutation(len(self.rows))
        if self.tokens is None:
            size = cast(int, self.sentences)
            pools = [shuffled[i : i + size * self.pool] for i in range(0, len(shuffled), size * self.pool)]
            orders = [pool[np.lexsort((target_lengths[pool], lengths[pool]))] for pool in pools]
            return [self.rows[o[i : i + size]] for o in orders for i in range(0, len(o), size)]
        order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
        ends = cut(lengths[order], self.tokens, self.sentences)
        return [self.rows[batch] for batch in np.split(order, ends[:-1])]


def cut(lengths: NDArray[np.int64], tokens: int, sentences: int | None) -> list[int]:
    """Where batches end in ascending ``lengths``.

    Rows times the longest stay within ``tokens`` (but for a row on its own), rows within ``sentences``.
    """
    ends: list[int] = []
    start = 0
    while start < len(lengths):
        most = max(1, tokens // max(1, int(lengths[start])))
        candidates = lengths[start : start + (most if sentences is None else min(most, sentences))]
        fitting = np.searchsorted(candidates * np.arange(1, len(candidates) + 1), tokens, side="right")
        start += max(1, int(fitting))
        ends.append(start)
    return ends or [0]


class EvaluationBatches(Sampler[list[int]]):
    """Every row (or the given ones) once, longest first, in batches of ``sentences``; ``Batch.index`` tells which.

    Where ``tokens`` is given, rows times the longest source of a batch stay within it (but for a row on its own).

    With several processes each takes every n-th sentence of the sorted split: none is given out twice, none
    is left out, and the shares differ by one sentence at most. All have as many batches: one that has less to do, or
    nothing, gets a last one without weight (``Weightless``), since what all do together has to be begun by all.
    """

    def __init__(
        self,
        source_lengths: NDArray[np.int64],
        target_lengths: NDArray[np.int64],
        sentences: int,
        share: tuple[int, int] = (0, 1),
        rows: NDArray[np.int64] | None = None,
        tokens: int | None = None,
    ) -> None:
        check_bounds(sentences, tokens)
        rank, processes = share
        rows = np.arange(len(source_lengths)) if rows is None else rows
        order = rows[np.lexsort((target_lengths[rows], source_lengths[rows]))][::-1]
        shares = [self._cut(order[number::processes], source_lengths, sentences, tokens) for number in range(processes)]
        self.batches = shares[rank]
        self.batches += [Weightless([int(order[-1])])] * (max(map(len, shares)) - len(self.batches))

    @staticmethod
    def _cut(rows: Rows, lengths: NDArray[np.int64], sentences: int, tokens: int | None) -> list[list[int]]:
        """Rows that come longest first, in batches."""
        batches, start = [], 0
        while start < len(rows):
            fitting = sentences if tokens is None else tokens // max(1, int(lengths[rows[start]]))
            end = start + max(1, min(sentences, fitting))
            batches.append(rows[start:end].tolist())
            start = end
        return batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def check_bounds(sentences: int | None, tokens: int | None, pool: int = 1, seed: int = 0) -> None:
    """Refuse bounds that give no batch, and seeds that numpy does not take.

    Raises:
        ConfigError: no bound, one below 1, or a seed below 0.
    """
    if sentences is None and tokens is None:
        raise ConfigError("batch_size and batch_tokens are both null; give at least one of them")
    for name, value in (("batch_size", sentences), ("batch_tokens", tokens), ("pool", pool)):
        require(name, value, 1)
    require("seed", seed, 0)


def require(name: str, value: int | None, least: int) -> None:
    """Refuse a number below ``least``; ``None`` is no number.

    Raises:
        ConfigError: with the name and the bound.
    """
    if value is not None and value < least:
        raise ConfigError(f"{name}={value}: expected {least} or more")


class Loader(DataLoader[Any]):
    """A data loader that can say how many batches it handed out, and go on from there.

    It draws from a generator of its own: starting an epoch leaves torch's global random state alone.
    """

    def __init__(self, items: Dataset[Any], batches: TrainingBatches | EvaluationBatches, workers: int = 0) -> None:
        super().__init__(
            items,
            batch_sampler=batches,
            collate_fn=_whole,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
            generator=torch.Generator(),
        )
        self._handed = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        # A generator: Lightning makes the iterator before it calls set_epoch, so nothing is drawn until then.
        batches = self.batch_sampler
        self._handed = batches.skip if isinstance(batches, TrainingBatches) else 0
        for batch in super().__iter__():
            self._handed += 1
            yield batch
        if isinstance(batches, TrainingBatches):
            batches.skip = 0

    def state_dict(self) -> dict[str, int]:
        """The epoch and the batches of it handed out so far."""
        return {"epoch": getattr(self.batch_sampler, "epoch", 0), "batches": self._handed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next epoch, if it is the saved one, begin behind the batches handed out."""
        if isinstance(self.batch_sampler, TrainingBatches):
            self.batch_sampler.set_epoch(state["epoch"])
            self.batch_sampler.skip = state["batches"]


def _whole(batch: Any) -> Any:
    """The data set has put the batch together already."""
    return batch


def process_share() -> tuple[int, int]:
    """``(rank, processes)`` of torch.distributed, ``(0, 1)`` where it is not in use."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
