"""Documents for a Lightning trainer: labelled texts of which the sentences are known."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from attnlab.data.batching import require
from attnlab.data.labelled.batches import Split
from attnlab.data.labelled.corpus import Corpus
from attnlab.data.labelled.module import LabelledData
from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.labelled.tokenized import Sentences
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.ranges import OneOrMore, PathText, Processes, Seed, ZeroOrMore
from attnlab.strict_json import dumps
from attnlab.types import DataError


class DocumentData(LabelledData):
    """Documents of a corpus as batches: a batch has the words of each, and how many of them each sentence has.

    Args:
        corpus: where the documents come from; in an example's text a sentence is a line.
        tokenizer, language, batch_size, batch_tokens, max_length, train_size, pool, num_workers, seed: of
            :class:`LabelledData`.
        eval_batch_size, eval_batch_tokens, vectors, tokenizers, splits, overfit_check: likewise.
        pad_to_multiple, ngrams: likewise.
        max_sentences: of a document so many are read, in training and in tests; None reads all. What is left unread is
            counted, in the data card.
        max_words: of a sentence, likewise.

    Raises:
        ConfigError: a setting is out of range.
    """

    items: ClassVar[str] = "documents"

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: Callable[[str], Tokenizer],
        language: str = "en",
        batch_size: OneOrMore | None = 16,
        batch_tokens: OneOrMore | None = 20_000,
        max_length: OneOrMore | None = None,
        train_size: OneOrMore | None = None,
        pool: OneOrMore = 50,
        num_workers: Processes = 0,
        seed: Seed = 1,
        eval_batch_size: OneOrMore = 64,
        eval_batch_tokens: OneOrMore | None = 50_000,
        vectors: PathText | None = None,
        tokenizers: str | None = None,
        splits: list[str] | None = None,
        overfit_check: ZeroOrMore = 0,
        pad_to_multiple: OneOrMore = 1,
        ngrams: Ngrams | None = None,
        max_sentences: OneOrMore | None = None,
        max_words: OneOrMore | None = None,
    ) -> None:
        super().__init__(
            corpus, tokenizer, language, batch_size, batch_tokens, max_length, train_size, pool, num_workers, seed,
            eval_batch_size, vectors, tokenizers, splits, overfit_check, pad_to_multiple, ngrams, eval_batch_tokens,
        )  # fmt: skip
        require("max_sentences", max_sentences, 1)
        require("max_words", max_words, 1)
        self.sentences = Sentences(max_sentences, max_words)

    def fingerprint(self) -> str:
        return dumps([super().fingerprint(), *(self.sentences or ())])

    def check_model(self, model: Any) -> None:
        """Also of the sentences of a document, and of their words, where a model knows so many positions only."""
        super().check_model(model)
        limits: Mapping[str, int | None] = getattr(model, "sentence_limits", {})
        for split, held in self._splits.items():
            rows = self._train_rows if split == "train" else np.arange(len(held.labels))
            for what, most in limits.items():
                counts = counted(held)[what][rows]
                if most is not None and len(counts) and counts.max() > most:
                    raise DataError(
                        f"{self.corpus.name}: {split} document {int(rows[int(counts.argmax())])} has {counts.max()} "
                        f"{what}, and the model's learned positions end at {most}; set position.max_positions="
                        f"{counts.max()} or more"
                    )


def counted(split: Split) -> dict[str, np.ndarray]:
    """Of each document: its sentences, and the words of its longest one."""
    assert split.sentences is not None
    values, offsets = split.sentences
    longest = np.maximum.reduceat(values, offsets[:-1]) if len(values) else np.zeros(0, np.int64)
    return {"sentences": np.diff(offsets), "words in a sentence": longest}
