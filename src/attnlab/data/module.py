"""Translation data for a Lightning trainer, and for use without one."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from attnlab.atomic import replacing
from attnlab.data.base import Lengths, TaskData, origin
from attnlab.data.batching import require
from attnlab.data.card import DataCard
from attnlab.data.corpus import Corpus, Pair, require_pairs
from attnlab.data.prepared.counted import card_of
from attnlab.data.prepared.folder import SIDES, Prepared
from attnlab.data.prepared.prepare import Recipe, prepare
from attnlab.data.resegmented import Resegmented, check_bpe_dropout
from attnlab.data.sentences import Sentences
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.ranges import OneOrMore, PathText, Probability, Processes, Seed, ZeroOrMore
from attnlab.types import DataError

log = logging.getLogger(__name__)


class TranslationData(TaskData):
    """Sentence pairs of a corpus as batches.

    ``prepare_data`` tokenizes into the cache (once for each content and setting), ``setup`` opens it. Under
    a trainer Lightning calls both; without one, call both.

    Args:
        corpus: where the pairs come from.
        tokenizer: language -> tokenizer; called once for each side.
        cache: folder for prepared data.
        batch_size: sentences in a training batch at most; ``None`` for no bound.
        batch_tokens: padded tokens of the longer side in a training batch at most; ``None`` for no bound.
        shared_vocabulary: one vocabulary for both sides, fitted on both.
        max_length: training pairs with a longer side (in tokens) are left out and counted; pairs to be
            scored are never left out or cut.
        train_size: use so many training pairs at most, drawn at random but the same ones in every run.
        pool: batches sorted by length together (with ``batch_tokens`` the whole split is).
        num_workers: processes that put batches together; 0 does, since a batch is a few array operations.
        seed: of the order of the training batches.
        eval_batch_size: sentences in a validation or test batch.
        tokenizers: folder of a finished run's ``source.json`` and ``target.json`` to use instead of fitting.
        splits: prepare and open these only; ``None`` for all of the corpus.
        overfit_check: so many training pairs, evenly spread, are scored after training as one more test split,
            ``train_check``: what was learnt by heart, beside what was learnt.
        prepare_processes: processes that tokenize; ``None``: all cores where a split is large.
        pad_to_multiple: columns of a training batch are padded to a multiple of this; ``None``: 8 in training on a
            GPU, which replays a graph for each shape of batch, else 1.
        bpe_dropout: share of the merges that is left out when training pairs are cut, anew in each epoch
            (``data/resegmented.py``); ``batch_tokens`` counts those without it.

    Raises:
        ConfigError: a setting is out of range, or ``bpe_dropout`` of a tokenizer without merges.
    """

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: Callable[[str], Tokenizer],
        cache: PathText,
        batch_size: OneOrMore | None = 64,
        batch_tokens: OneOrMore | None = None,
        shared_vocabulary: bool = False,
        max_length: OneOrMore | None = None,
        train_size: OneOrMore | None = None,
        pool: OneOrMore = 50,
        num_workers: Processes = 0,
        seed: Seed = 1,
        eval_batch_size: OneOrMore = 128,
        tokenizers: str | None = None,
        splits: list[str] | None = None,
        overfit_check: ZeroOrMore = 0,
        prepare_processes: OneOrMore | None = None,
        pad_to_multiple: OneOrMore | None = None,
        bpe_dropout: Probability = 0.0,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            batch_tokens=batch_tokens,
            pool=pool,
            num_workers=num_workers,
            seed=seed,
            eval_batch_size=eval_batch_size,
            overfit_check=overfit_check,
        )
        require("max_length", max_length, 1)
        require("train_size", train_size, 1)
        require("prepare_processes", prepare_processes, 1)
        require("pad_to_multiple", pad_to_multiple, 1)
        require_pairs(corpus)
        self.corpus = corpus
        self.cache = Path(cache)
        self.max_length = max_length
        self.pad_to_multiple = pad_to_multiple
        self.recipe = Recipe(
            corpus=corpus,
            tokenizer=tokenizer,
            shared=shared_vocabulary,
            train_size=train_size,
            saved=Path(tokenizers) if tokenizers else None,
            splits=tuple(splits) if splits else None,
            processes=prepare_processes,
        )
        self.bpe_dropout = bpe_dropout
        if bpe_dropout:
            check_bpe_dropout(bpe_dropout, self.recipe.new_tokenizers())
        #: by split: pairs, tokens, unknown ones, pairs left out
        self.counts: Mapping[str, Mapping[str, int]] = {}
        self._opened: Prepared | None = None
        self._train_rows: NDArray[np.int64] = np.zeros(0, np.int64)

    @cached_property
    def _folder(self) -> Path:
        return prepare(self.recipe, self.cache)

    def prepare_data(self) -> None:
        """Tokenize into the cache, unless that was done before."""
        _ = self._folder

    def setup(self, stage: str | None = None) -> None:
        """Open the prepared data; choose the training pairs.

        Raises:
            DataError: no training pair is within ``max_length``.
        """
        if self._opened is not None:
            return
        self._opened = Prepared(self._folder)
        for line in self._opened.meta["skipped"]:
            log.warning("%s: %s", self.corpus.name, line)
        self.counts = {split: dict(counts) for split, counts in self._opened.meta["splits"].items()}
        if "train" in self._opened.splits:
            self._choose_training_pairs()

    def _choose_training_pairs(self) -> None:
        source, target = (ids.lengths for ids in self._data.ids("train"))
        empty = (source == 0) | (target == 0)
        long = np.maximum(source, target) > (self.max_length or np.inf)
        self._train_rows = np.flatnonzero(~empty & ~long)
        left_out = {"without_tokens": int(empty.sum()), "too_long": int(long.sum())}
        self.counts = {**self.counts, "train": {**self.counts["train"], **left_out}}
        if any(left_out.values()):
            log.warning(
                "%s: %d of %d training pairs left out: %d without a token, %d longer than max_length=%s",
                *(self.corpus.name, int((empty | long).sum()), len(source)),
                *(*left_out.values(), self.max_length),
            )
        if not len(self._train_rows):
            raise DataError(
                f"{self.corpus.name}: none of {len(source)} training pairs is left: "
                f"{left_out['without_tokens']} have no token, {left_out['too_long']} are longer than "
                f"max_length={self.max_length} (the shortest has {int(np.maximum(source, target).min())} tokens); "
                "raise max_length"
            )

    @property
    def _data(self) -> Prepared:
        if self._opened is None:
            raise DataError("the data are not open yet: call prepare_data() and setup() first")
        return self._opened

    @property
    def source_tokenizer(self) -> Tokenizer:
        return self._data.tokenizers[0]

    @property
    def target_tokenizer(self) -> Tokenizer:
        return self._data.tokenizers[1]

    @property
    def corpus_name(self) -> str:
        return self.corpus.name

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self._data.splits)

    def dataset(self, split: str, multiple: int = 1) -> Sentences:
        """Batches are ``attnlab.types.Batch``."""
        return Sentences(*self._data.ids(split), multiple)

    def training_dataset(self) -> Sentences:
        if not self.bpe_dropout:
            return self.dataset("train", self.multiple)
        return Resegmented(self._data, self.bpe_dropout, self.longest_cut, self.seed, self.multiple)

    @property
    def longest_cut(self) -> tuple[int, int]:
        """Tokens that ``bpe_dropout`` may cut a side into: ``max_length``, or those of the longest training pair."""
        if self.max_length:
            return self.max_length, self.max_length
        source, target = (int(ids.lengths[self._train_rows].max()) for ids in self._data.ids("train"))
        return source, target

    def lengths(self, split: str) -> Lengths:
        """Tokens of both sides, without BOS and EOS."""
        return tuple(ids.lengths for ids in self._data.ids(split))

    def dimensions(self) -> dict[str, Any]:
        return {"source_vocabulary": len(self.source_tokenizer), "target_vocabulary": len(self.target_tokenizer)}

    def fingerprint(self) -> str:
        return self.recipe.key()

    def batching(self) -> list[Any]:
        return [*super().batching(), self.max_length]

    def training_rows(self) -> NDArray[np.int64]:
        return self._train_rows

    def text(self, split: str, index: int) -> Pair:
        """The raw pair at ``index`` (as in ``Batch.index``) of a split, with a gold alignment if there is one."""
        return self._data.text(origin(split), index)

    def training_targets(self) -> Iterator[str]:
        """The raw target sides of the training pairs that are used."""
        return self._data.targets("train", self._train_rows.tolist())

    @cached_property
    def card(self) -> DataCard:
        return card_of(self._data, self.corpus.name, self.counts, self._train_rows)

    def check_model(self, model: Any) -> None:
        self.require_room(model.longest_source, model.longest_target)

    def require_room(self, longest_source: int | None, longest_target: int | None) -> None:
        """Refuse sentences that a model cannot read: now, and not in the epoch that comes to them.

        Args:
            longest_source: words that the encoder reads at most; None is any number.
            longest_target: words that the decoder reads at most, BOS among them.

        Raises:
            DataError: names the longest sentence and what would be enough for all splits.
        """
        needs = [need for split in self._data.splits for need in self._needs(split, longest_source, longest_target)]
        if needs:
            most, told = max(needs)
            raise DataError(f"{self.corpus.name}: {told}; set position.max_positions={most} or more")

    def _needs(self, split: str, *longest: int | None) -> Iterator[tuple[int, str]]:
        """Positions that a split takes, of the sides that take more than there are."""
        padding = self.pad_to_multiple or (8 if torch.cuda.is_available() else 1)  # there may be no trainer to ask yet
        multiple = padding if split == "train" else 1
        for side, ids, most, more in zip(SIDES, self._data.ids(split), longest, (0, 1), strict=True):
            if most is None:
                continue
            rows = self._train_rows if split == "train" else np.arange(len(ids))
            lengths = ids.lengths[rows]
            tokens = int(lengths.max(initial=0))
            drawn = bool(split == "train" and self.bpe_dropout and self.max_length)
            tokens = self.max_length if drawn and self.max_length else tokens
            columns = tokens + more + -(tokens + more) % multiple
            if columns > most:
                padded = f", padded to {columns}" if columns > tokens + more else ""
                advice = " (data.max_length leaves out longer ones of train)" if split == "train" else ""
                number = int(rows[int(lengths.argmax())])
                start = " and the start" * more
                has = f"sentence {number} ({side}) has"
                if drawn:
                    has = f"sentences ({side}) may have data.max_length={tokens}, as data.bpe_dropout cuts them:"
                yield (
                    columns,
                    f"{split} {has} {tokens} tokens{start}{padded}, and the model's learned "
                    f"positions end at {most}{advice}",
                )

    @property
    def multiple(self) -> int:
        """8 on a GPU, unless ``pad_to_multiple`` says otherwise."""
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        return self.pad_to_multiple or (8 if on_gpu else 1)

    def save(self, folder: Path) -> None:
        """Write ``source.json`` and ``target.json``."""
        for side, tokenizer in zip(SIDES, self._data.tokenizers, strict=True):
            with replacing(folder / f"{side}.json") as temporary:
                tokenizer.save(temporary)
