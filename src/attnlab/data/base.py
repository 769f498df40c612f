"""What every task asks of its data, and what all data share: batches in an order that a resumed run can go on in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from torch.utils.data import Dataset

from attnlab.data.batching import EvaluationBatches, Loader, TrainingBatches, check_bounds, process_share, require
from attnlab.data.card import DataCard
from attnlab.types import DataError

OVERFIT_CHECK = "train_check"  #: the test split that is part of the training split
Lengths = tuple[NDArray[np.int64], ...]


class TaskData(pl.LightningDataModule, ABC):
    """Items of a corpus as batches: a task's data say their splits, and give a data set and the lengths of each.

    To a configuration's settings ``evaluate.py`` adds three: ``corpus``, the object of the group ``dataset`` (it has a
    ``name``, its ``splits``, train and val first, and ``read(split)``), ``splits``, those to read, and ``tokenizers``,
    the folder where ``save`` wrote.

    Args:
        batch_size: items in a training batch at most; ``None`` for no bound.
        batch_tokens: padded tokens in a training batch at most, of the longer side where there are two; ``None`` for
            no bound.
        pool: batches sorted by length together (with ``batch_tokens`` the whole split is).
        num_workers: processes that put batches together; 0 does, where a batch is a few array operations.
        seed: of the order of the training batches.
        eval_batch_size: items in a validation or test batch at most.
        eval_batch_tokens: padded tokens in one at most, of what attention looks over; ``None`` for no bound.
        overfit_check: so many training items, evenly spread, are tested as one more test split, ``train_check``: what
            was learnt by heart, beside what was learnt.

    Raises:
        ConfigError: a setting is out of range.
    """

    def __init__(
        self,
        *,
        batch_size: int | None = 64,
        batch_tokens: int | None = None,
        pool: int = 50,
        num_workers: int = 0,
        seed: int = 1,
        eval_batch_size: int = 128,
        eval_batch_tokens: int | None = None,
        overfit_check: int = 0,
    ) -> None:
        super().__init__()
        check_bounds(batch_size, batch_tokens, pool, seed)
        require("eval_batch_size", eval_batch_size, 1)
        require("eval_batch_tokens", eval_batch_tokens, 1)
        require("num_workers", num_workers, 0)
        require("overfit_check", overfit_check, 0)
        self.batch_size, self.batch_tokens, self.pool, self.seed = batch_size, batch_tokens, pool, seed
        self.num_workers, self.overfit_check = num_workers, overfit_check
        self.eval_batch_size, self.eval_batch_tokens = eval_batch_size, eval_batch_tokens

    @property
    @abstractmethod
    def corpus_name(self) -> str:
        """Which data these are."""

    @property
    @abstractmethod
    def splits(self) -> Sequence[str]:
        """``train``, ``val``, and the test splits; known once the data are set up."""

    @abstractmethod
    def dataset(self, split: str, multiple: int = 1) -> Dataset[Any]:
        """The items of a split; a list of rows comes back as one batch (``__getitems__``), padded to a ``multiple``.

        The batch has ``index``, the number of each item. Rows that are ``data.sentences.Weightless`` keep a process at
        work while others have a batch: their numbers are ``NO_SENTENCE``, and nothing of them is to be learnt.
        """

    @abstractmethod
    def lengths(self, split: str) -> Lengths:
        """Of each item of a split: of what attention looks over, and where there is one, of what looks."""

    @abstractmethod
    def dimensions(self) -> dict[str, Any]:
        """What the model needs to know of the data: vocabulary sizes, classes; its constructor takes them by name.

        The model's class has the least of them as ``smallest``, for it to be built before data are read.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Of the content and all settings that decide what an item is."""

    def require_splits(self) -> None:
        """Raise DataError where there is nothing to train on, or nothing to choose a checkpoint by."""
        if lacking := [split for split in ("train", "val") if split not in self.splits]:
            there = ", ".join(self.splits) or "none"
            raise DataError(f"{self.corpus_name} has no split {' and no '.join(lacking)}; there is {there}")

    def save(self, folder: Path) -> None:
        """Write what was made of the training split (vocabularies, labels), for a finished run to be used with."""

    @cached_property
    def card(self) -> DataCard | None:
        """What is known of the data, once they are set up; None where nobody has counted."""
        return None

    def check_model(self, model: Any) -> None:
        """Refuse items that a model cannot read: now, and not in the epoch that comes to them.

        Raises:
            DataError: names the item and what would be enough.
        """

    def batching(self) -> list[Any]:
        """The settings that decide where the batches of an epoch are cut."""
        return [self.batch_size, self.batch_tokens, self.pool]

    def training_rows(self) -> NDArray[np.int64]:
        """The items of ``train`` that are used."""
        return np.arange(len(self.lengths("train")[0]))

    @property
    def multiple(self) -> int:
        """What training batches are padded to: few shapes where a GPU replays a graph for each of them."""
        return 1

    @property
    def test_splits(self) -> tuple[str, ...]:
        """The splits of ``test_dataloader``, in its order."""
        held_out = tuple(split for split in self.splits if split not in ("train", "val"))
        return (*held_out, OVERFIT_CHECK) if self.overfit_check and "train" in self.splits else held_out

    def size(self, split: str) -> int:
        """Items of a split; of "train", those that are used."""
        return len(self.training_rows() if split == "train" else self.lengths(split)[0])

    def batch(self, split: str, numbers: Sequence[int]) -> Any:
        """Some items of a split as one batch, on the CPU."""
        items: Any = self.dataset(origin(split))
        return items.__getitems__(list(numbers))

    def train_dataloader(self) -> Loader:
        """Training batches, shuffled anew in each epoch; the same ones for ``trainer.overfit_batches``."""
        rows = self.training_rows()
        source, target = self._sides("train")
        items = self.training_dataset()
        batches = TrainingBatches(
            rows,
            source[rows],
            target[rows],
            sentences=self.batch_size,
            tokens=self.batch_tokens,
            pool=self.pool,
            seed=self.seed,
            share=process_share(),
            multiple=self.multiple,
            same=getattr(self.trainer, "overfit_batches", 0) > 0,
            redrawn=getattr(items, "redrawn", None),
        )
        return Loader(items, batches, self.num_workers)

    def training_dataset(self) -> Dataset[Any]:
        """What is learnt from.

        Rows of batches know their epoch (``data.sentences.Drawn``), for items that are drawn anew in each; such data
        may have ``redrawn(rows, epoch)``, the lengths in that epoch.
        """
        return self.dataset("train", self.multiple)

    def val_dataloader(self) -> Loader:
        """The validation split, longest first."""
        return self.eval_dataloader("val")

    def test_dataloader(self) -> list[Loader]:
        """A loader for each of ``test_splits``."""
        return [self.eval_dataloader(split) for split in self.test_splits]

    def eval_dataloader(self, split: str) -> Loader:
        """Every item of a split once, longest first, whole."""
        rows: NDArray[np.int64] | None = None
        if split == OVERFIT_CHECK:
            used = self.training_rows()
            count = min(self.overfit_check, len(used))
            rows = used[np.arange(count) * len(used) // count]
        split = origin(split)
        size, tokens = self.eval_batch_size, self.eval_batch_tokens
        batches = EvaluationBatches(*self._sides(split), size, process_share(), rows, tokens)
        return Loader(self.dataset(split), batches, self.num_workers)

    def _sides(self, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first, *second = self.lengths(split)
        return first, second[0] if second else np.zeros_like(first)


def origin(split: str) -> str:
    """Where the items of a split lie."""
    return "train" if split == OVERFIT_CHECK else split
