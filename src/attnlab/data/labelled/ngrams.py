"""Character n-grams of words, hashed into buckets: what is known of a word that training never saw.

Bojanowski et al. 2017, "Enriching word vectors with subword information", section 3.2: the n-grams of <word>, with
marks at both ends, of 3 to 6 characters there. The hash is CRC-32, the same on every machine.
"""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray

from attnlab.ranges import OneOrMore
from attnlab.types import PAD, ConfigError, Spelled

BEGIN, END = "<", ">"


class Ngrams:
    """From a word to the buckets of its n-grams.

    Args:
        buckets: how many there are.
        shortest: characters of the shortest n-gram, marks counted.
        longest: and of the longest.

    Raises:
        ConfigError: the longest is shorter than the shortest.
    """

    def __init__(self, buckets: OneOrMore = 20_000, shortest: OneOrMore = 3, longest: OneOrMore = 5) -> None:
        if longest < shortest:
            raise ConfigError(f"data.ngrams: longest={longest} is less than shortest={shortest}")
        self.buckets, self.shortest, self.longest = buckets, shortest, longest

    def __call__(self, word: str) -> list[int]:
        """The buckets of a word's n-grams; of one that is shorter, that of the word itself."""
        marked = f"{BEGIN}{word}{END}"
        sizes = range(self.shortest, min(self.longest, len(marked)) + 1)
        found = [marked[i : i + size] for size in sizes for i in range(len(marked) - size + 1)] or [marked]
        return [crc32(ngram.encode("utf-8", "surrogatepass")) % self.buckets for ngram in found]

    def signature(self) -> list[int]:
        return [self.buckets, self.shortest, self.longest]


class Speller:
    """Numbers the words of a data set as they come, and spells those of a batch.

    Args:
        ngrams: from a word to its buckets.
    """

    def __init__(self, ngrams: Ngrams) -> None:
        self.ngrams = ngrams
        self.numbers: dict[str, int] = {"": PAD}  # the number of padding, which has no n-grams
        self.rows: list[list[int]] = [[]]
        self._flat: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def number(self, words: Iterable[str]) -> list[int]:
        """The number of each word."""
        found = []
        for word in words:
            number = self.numbers.setdefault(word, len(self.rows))
            if number == len(self.rows):
                self.rows.append(self.ngrams(word))
                self._flat = None
            found.append(number)
        return found

    def spell(self, numbers: Int[np.ndarray, "B S"]) -> Spelled:
        """The n-grams of a batch of words, each different word once."""
        flat, offsets = self._table()
        words, places = np.unique(numbers, return_inverse=True)
        lengths = offsets[words + 1] - offsets[words]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        at = np.arange(int(lengths.sum())) + np.repeat(offsets[words] - starts, lengths)
        parts = flat[at], starts, places.reshape(numbers.shape).astype(np.int64)
        return Spelled(*(torch.from_numpy(part) for part in parts))

    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self._flat is None:
            offsets = np.concatenate([[0], np.cumsum([len(row) for row in self.rows])]).astype(np.int64)
            flat = np.fromiter((bucket for row in self.rows for bucket in row), np.int64, int(offsets[-1]))
            self._flat = flat, offsets
        return self._flat


def require_ngrams(buckets: int, model: Any) -> None:
    """Raise ConfigError unless a model has an embedding for every bucket, where the two have n-grams of characters.

    Raises:
        ConfigError: which settings do not go together.
    """
    table = getattr(getattr(model, "ngrams", None), "num_embeddings", 0)
    if hasattr(model, "word_dropout") and table != buckets:
        raise ConfigError(
            f"model.ngrams={table} and data.ngrams.buckets={buckets} are the same number; leave model.ngrams out, it "
            "follows (0 where data.ngrams is null)"
        )
