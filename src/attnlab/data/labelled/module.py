"""Labelled texts for a Lightning trainer, and for use without one."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from attnlab.atomic import replacing
from attnlab.data.base import Lengths, TaskData, origin
from attnlab.data.batching import require
from attnlab.data.card import DataCard
from attnlab.data.labelled.batches import Split, Texts
from attnlab.data.labelled.corpus import Source, class_numbers, drawn, require_labelled, require_labels
from attnlab.data.labelled.counted import card_of, unread
from attnlab.data.labelled.labels import saved_labels
from attnlab.data.labelled.ngrams import Ngrams, Speller, require_ngrams
from attnlab.data.labelled.tokenized import Cutter, Left, Sentences
from attnlab.data.labelled.vectors import Vectors, read_vectors
from attnlab.data.progress import bar
from attnlab.data.reading import content_hash
from attnlab.data.tokenizers.base import Counted, Tokenizer
from attnlab.data.tokenizers.load import load
from attnlab.ranges import OneOrMore, PathText, Processes, Seed, ZeroOrMore
from attnlab.strict_json import dumps
from attnlab.types import ConfigError, DataError

log = logging.getLogger(__name__)


class LabelledData(TaskData):
    """Labelled texts of a corpus as batches; the whole of them is held in memory.

    Args:
        corpus: where the texts come from.
        tokenizer: language -> tokenizer, fitted on the training split.
        language: ISO 639-1 code of the texts, for tokenizers that ask for one.
        batch_size: texts in a training batch at most; ``None`` for no bound.
        batch_tokens: padded tokens in a training batch at most; ``None`` for no bound.
        max_length: training texts with more tokens are left out and counted; texts to be tested never are.
        train_size: use so many training texts at most, drawn at random but the same ones in every run.
        pool: batches sorted by length together (with ``batch_tokens`` the whole split is).
        num_workers: processes that put batches together; 0 does.
        seed: of the order of the training batches.
        eval_batch_size: texts in a validation or test batch.
        vectors: file of word vectors in GloVe's or fastText's text format, which the embeddings of known words begin
            from; its dimension is that of the model's. None begins at random.
        tokenizers: folder of a finished run's ``text.json`` and ``labels.json`` to use instead of fitting.
        splits: read these only; ``None`` for all of the corpus.
        overfit_check: so many training texts, evenly spread, are tested as one more test split, ``train_check``.
        pad_to_multiple: columns of a training batch are padded to a multiple of this.
        ngrams: character n-grams that stand for a word beside its own embedding, also where it is unknown; None for
            none.
        eval_batch_tokens: padded tokens in a validation or test batch at most; ``None`` for no bound.

    Raises:
        ConfigError: a setting is out of range.
    """

    sides: ClassVar[tuple[str, ...]] = ("text",)  #: what an item consists of, a text each
    require_corpus = staticmethod(require_labelled)  #: refuses a corpus of something else
    items: ClassVar[str] = ""  #: the word for the items; empty says texts, or pairs where there are two sides
    sentences: Sentences | None = None  #: how texts are read where they are documents

    def __init__(
        self,
        corpus: Source,
        tokenizer: Callable[[str], Tokenizer],
        language: str = "en",
        batch_size: OneOrMore | None = 32,
        batch_tokens: OneOrMore | None = None,
        max_length: OneOrMore | None = None,
        train_size: OneOrMore | None = None,
        pool: OneOrMore = 50,
        num_workers: Processes = 0,
        seed: Seed = 1,
        eval_batch_size: OneOrMore = 256,
        vectors: PathText | None = None,
        tokenizers: str | None = None,
        splits: list[str] | None = None,
        overfit_check: ZeroOrMore = 0,
        pad_to_multiple: OneOrMore = 1,
        ngrams: Ngrams | None = None,
        eval_batch_tokens: OneOrMore | None = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            batch_tokens=batch_tokens,
            pool=pool,
            num_workers=num_workers,
            seed=seed,
            eval_batch_size=eval_batch_size,
            eval_batch_tokens=eval_batch_tokens,
            overfit_check=overfit_check,
        )
        require("max_length", max_length, 1)
        require("train_size", train_size, 1)
        require("pad_to_multiple", pad_to_multiple, 1)
        self.require_corpus(corpus)
        self.corpus, self.new_tokenizer, self.language = corpus, tokenizer, language
        self.max_length, self.train_size, self.pad_to_multiple = max_length, train_size, pad_to_multiple
        self.saved = Path(tokenizers) if tokenizers else None
        self.wanted = tuple(splits) if splits else None
        self.speller = None if ngrams is None else Speller(ngrams)
        self.vectors_file = vectors
        self.vectors: Vectors | None = None
        self.classes: list[str] = []
        self._splits: dict[str, Split] = {}
        self._train_rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self._unread: dict[str, Left] = {}
        self._tokenizer: Tokenizer | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read and tokenize, once.

        Raises:
            DataError: nothing is left to train on, or a label is none of training's.
        """
        if self._splits:
            return
        names = [split for split in self.corpus.splits if self.wanted is None or split in self.wanted]
        examples = {split: list(self.corpus.read(split)) for split in names}
        for line in getattr(getattr(self.corpus, "report", None), "lines", list)():
            log.warning("%s: %s", self.corpus.name, line)
        if "train" in examples and self.train_size is not None:
            examples["train"] = drawn(examples["train"], self.train_size)
        if self.saved is not None:
            self._tokenizer = load(self.saved / "text.json")
            self._restore(self.saved)
        else:
            self._begin(examples)
        self._tokenize(examples)
        if "train" in self._splits and self.vectors_file is not None and self.saved is None:
            self.vectors = read_vectors(Path(self.vectors_file).expanduser(), self._words(), self._frequencies())

    def _begin(self, examples: dict[str, list[Any]]) -> None:
        """A new tokenizer, and what labels there are."""
        if "train" not in examples:
            raise DataError(f"{self.corpus.name} has no split train to learn words and classes from")
        self._tokenizer = self.new_tokenizer(self.language)
        self._tokenizer.check()
        self._learn_labels(examples)

    def _learn_labels(self, examples: dict[str, list[Any]]) -> None:
        """The classes; one that only val or test has is one, too: it is never right."""
        known = set(require_labels([row.label for row in examples["train"]], self.corpus.name))
        self.classes = sorted({row.label for rows in examples.values() for row in rows})
        if unseen := [name for name in self.classes if name not in known]:
            log.warning("%s: no training text is of class %s", self.corpus.name, ", ".join(unseen[:5]))

    def _restore(self, folder: Path) -> None:
        """What else a finished run has learnt of its data."""
        self.classes = saved_labels(folder / "labels.json")

    def _labels(self, rows: Sequence[Any], where: str) -> NDArray[Any]:
        """What is to be told of each item, as numbers."""
        return class_numbers(rows, self.classes, where)

    def _tokenize(self, examples: dict[str, list[Any]]) -> None:
        """Cut every text once; vocabulary and pieces are learnt from the training texts that are used, and no others.

        Pieces that have to be learnt before a text can be cut (BPE) are learnt before ``max_length`` can be told.
        """
        labels = {split: self._labels(rows, f"{self.corpus.name}, {split}") for split, rows in examples.items()}
        if self.saved is None and not isinstance(self.tokenizer, Counted):
            self.tokenizer.fit([text for row in examples["train"] for text in row.texts])
        cutter, sides = Cutter(self.tokenizer, self.speller, self.sentences), len(self.sides)
        with bar("tokenizing", sum(map(len, examples.values()))) as shown:
            cuts = {
                split: cutter(text for row in shown.each(rows) for text in row.texts)
                for split, rows in examples.items()
            }
        if "train" in cuts:
            self._train_rows = self._short_enough(cuts["train"].pieces.lengths.reshape(-1, sides).max(1))
            if self.saved is None:
                cutter.learn(cuts["train"], (self._train_rows[:, None] * sides + np.arange(sides)).ravel())
        self._splits = {
            split: Split(cut.texts, labels[split], cutter.ids(cut), cut.spellings, cut.sentences)
            for split, cut in cuts.items()
        }
        self._unread = {split: cut.left for split, cut in cuts.items()}
        for line in unread(self._unread):
            log.warning("%s: %s", self.corpus.name, line)

    def _short_enough(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The training texts within ``max_length``."""
        rows = np.flatnonzero(lengths <= (self.max_length or np.inf))
        if len(rows) < len(lengths):
            log.warning(
                "%s: %d of %d training texts left out, longer than max_length=%s",
                *(self.corpus.name, len(lengths) - len(rows), len(lengths), self.max_length),
            )
        if not len(rows):
            raise DataError(
                f"{self.corpus.name}: none of {len(lengths)} training texts is left, the shortest has "
                f"{int(lengths.min())} tokens; raise data.max_length={self.max_length}"
            )
        return rows

    def _words(self) -> list[str]:
        if not isinstance(self.tokenizer, Counted):
            raise ConfigError("data.vectors: vectors are of words; set tokenizer=word or tokenizer=whitespace")
        return self.tokenizer.tokens(range(len(self.tokenizer)))

    def _frequencies(self) -> NDArray[np.int64]:
        return np.bincount(self._splits["train"].ids.values, minlength=len(self.tokenizer))

    @property
    def tokenizer(self) -> Tokenizer:
        if self._tokenizer is None:
            raise DataError("the data are not open yet: call setup() first")
        return self._tokenizer

    @property
    def corpus_name(self) -> str:
        return self.corpus.name

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self._splits)

    def dataset(self, split: str, multiple: int = 1) -> Texts:
        return Texts(self._splits[split], multiple, self.speller)

    def lengths(self, split: str) -> Lengths:
        """Tokens of each text, by side."""
        return tuple(self._splits[split].lengths.reshape(-1, len(self.sides)).T)

    def dimensions(self) -> dict[str, Any]:
        return {"vocabulary": len(self.tokenizer), "classes": len(self.classes), "vectors": self.vectors}

    def fingerprint(self) -> str:
        signature: Any = self.saved and str(self.saved)
        if self.saved is None:
            signature = self.new_tokenizer(self.language).signature()
        spelling = None if self.speller is None else self.speller.ngrams.signature()
        # Frozen vectors are the file's, so that going on with others would be another model.
        files = [Path(self.vectors_file).expanduser()] if self.vectors_file is not None and not self.saved else []
        vectors = content_hash({}, files) if files else None
        return dumps([self.corpus.fingerprint(), signature, self.train_size, self.wanted, spelling, vectors])

    def batching(self) -> list[Any]:
        return [*super().batching(), self.max_length]

    def training_rows(self) -> NDArray[np.int64]:
        return self._train_rows

    @property
    def multiple(self) -> int:
        return self.pad_to_multiple

    def text(self, split: str, index: int) -> str:
        """The text at ``index`` (as in ``LabelledBatch.index``) of a split."""
        return self._splits[origin(split)].texts[index]

    def training_texts(self) -> tuple[list[list[int]], NDArray[np.int64]]:
        """The ids of every text that is trained on, and its class."""
        held, rows = self._splits["train"], self._train_rows
        values, offsets = held.ids
        return [values[offsets[row] : offsets[row + 1]].tolist() for row in rows], held.labels[rows]

    def class_counts(self) -> NDArray[np.int64]:
        """How often each class is trained on."""
        return np.bincount(self._splits["train"].labels[self._train_rows], minlength=len(self.classes))

    @cached_property
    def card(self) -> DataCard:
        classes = None
        if "train" in self._splits and self.classes:
            classes = dict(zip(self.classes, self.class_counts().tolist(), strict=True))
        left: list[str] = getattr(getattr(self.corpus, "report", None), "lines", list)()
        left = [*left, *unread(self._unread)]
        words, sides = len(self.tokenizer), self.sides
        return card_of(self.corpus.name, self._splits, self._train_rows, words, left, classes, sides, self.items)

    def check_model(self, model: Any) -> None:
        require_ngrams(0 if self.speller is None else self.speller.ngrams.buckets, model)
        most = getattr(model, "longest_text", None)
        for split, held in self._splits.items():
            rows = self._train_rows if split == "train" else np.arange(len(held.labels))
            lengths = held.lengths.reshape(-1, len(self.sides))[rows].max(1)
            longest = int(lengths.max(initial=0))
            if most is not None and longest > most:
                raise DataError(
                    f"{self.corpus.name}: {split} example {int(rows[int(lengths.argmax())])} has {longest} tokens, and "
                    f"the model's learned positions end at {most}; set position.max_positions={longest} or more"
                )

    def save(self, folder: Path) -> None:
        """Write ``text.json`` and ``labels.json``."""
        with replacing(folder / "text.json") as temporary:
            self.tokenizer.save(temporary)
        self._keep_labels(folder)

    def _keep_labels(self, folder: Path) -> None:
        with replacing(folder / "labels.json") as temporary:
            temporary.write_text(dumps(self.classes), encoding="utf-8")
