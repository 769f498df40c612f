"""Texts cut into pieces once, for all that is made of the pieces: vocabulary, ids, n-grams of characters."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnlab.data.labelled.ngrams import Speller
from attnlab.data.tokenizers.base import Counted, Tokenizer
from attnlab.types import UNK

NOTHING = ""  # the entry of a text in which a tokenizer sees nothing (a lone accent): unknown, and never counted


class InMemory(NamedTuple):
    """Rows of different lengths one after another."""

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]  #: [N + 1]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)


class Cut(NamedTuple):
    """Texts in pieces."""

    texts: list[str]
    pieces: InMemory  #: each text has one at least; by the cutter's number of the vocabulary entry, or by its id
    spellings: InMemory | None = None  #: by the speller's number of the piece as it is spelt


class Cutter:
    """Cuts texts, each once. A tokenizer that counts pieces into a vocabulary learns it from what was cut.

    Args:
        tokenizer: of which ``tokenize`` works already.
        speller: numbers the pieces as they are spelt.
    """

    def __init__(self, tokenizer: Tokenizer, speller: Speller | None = None) -> None:
        self.tokenizer, self.speller = tokenizer, speller
        self._numbers = {NOTHING: 0}  #: of entries

    def __call__(self, texts: Iterable[str]) -> Cut:
        kept: list[str] = []
        numbers: list[int] = []
        lengths: list[int] = []
        spellings: list[int] = []
        for text in texts:
            found, spelt = self._pieces(text)
            kept.append(text)
            lengths.append(len(found))
            numbers += found
            if self.speller is not None:
                spellings += self.speller.number(spelt)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        spelled = None if self.speller is None else InMemory(np.array(spellings, np.int32), offsets)
        return Cut(kept, InMemory(np.array(numbers, np.int32), offsets), spelled)

    def _pieces(self, text: str) -> tuple[list[int], list[str]]:
        """Numbers of the entries (ids, where pieces are not counted), and the pieces as they are spelt."""
        if not isinstance(self.tokenizer, Counted):
            spelt = [] if self.speller is None else [token.text for token in self.tokenizer.tokenize(text)]
            return self.tokenizer.encode(text) or [UNK], spelt or [text]
        tokens = self.tokenizer.tokenize(text)
        entries = self.tokenizer.entries_of(tokens) or [NOTHING]
        numbers = self._numbers
        return [numbers.setdefault(entry, len(numbers)) for entry in entries], [t.text for t in tokens] or [text]

    def learn(self, cut: Cut, rows: NDArray[np.int64]) -> None:
        """Make the vocabulary from some of the texts that were cut, where pieces are counted."""
        if isinstance(self.tokenizer, Counted):
            values, offsets = cut.pieces
            used = np.zeros(len(offsets) - 1, dtype=bool)
            used[rows] = True
            counts = np.bincount(values[np.repeat(used, cut.pieces.lengths)], minlength=len(self._numbers)).tolist()
            pairs = zip(self._numbers, counts, strict=True)
            self.tokenizer.learn(Counter({entry: count for entry, count in pairs if count and entry != NOTHING}))

    def ids(self, cut: Cut) -> InMemory:
        """The ids of the pieces, once the vocabulary is there."""
        if not isinstance(self.tokenizer, Counted):
            return cut.pieces
        table = np.array(self.tokenizer.number(list(self._numbers)), np.int32)
        return InMemory(table[cut.pieces.values], cut.pieces.offsets)
