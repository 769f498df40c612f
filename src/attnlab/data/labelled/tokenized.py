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


class Sentences(NamedTuple):
    """Texts are documents, a sentence a line; how much of one is read."""

    most: int | None = None  #: sentences of a document; None is all of them
    longest: int | None = None  #: pieces of a sentence, likewise

    def of(self, text: str) -> list[str]:
        """The sentences that are read."""
        return text.split("\n")[: self.most]


class Left(NamedTuple):
    """What limits have left unread of texts."""

    texts: int = 0  #: of which something was
    sentences: int = 0  #: whole ones
    pieces: int = 0  #: in all

    def and_of(self, other: "Left") -> "Left":
        return Left(*(mine + more for mine, more in zip(self, other, strict=True)))


class Cut(NamedTuple):
    """Texts in pieces."""

    texts: list[str]
    pieces: InMemory  #: each text has one at least; by the cutter's number of the vocabulary entry, or by its id
    spellings: InMemory | None = None  #: by the speller's number of the piece as it is spelt
    sentences: InMemory | None = None  #: pieces of each sentence of a text, where texts are documents
    left: Left = Left()  #: unread


class Cutter:
    """Cuts texts, each once. A tokenizer that counts pieces into a vocabulary learns it from what was cut.

    Args:
        tokenizer: of which ``tokenize`` works already.
        speller: numbers the pieces as they are spelt.
        sentences: how documents are read; None takes a text as a whole.
    """

    def __init__(
        self, tokenizer: Tokenizer, speller: Speller | None = None, sentences: Sentences | None = None
    ) -> None:
        self.tokenizer, self.speller, self.sentences = tokenizer, speller, sentences
        self._numbers = {NOTHING: 0}  #: of entries

    def __call__(self, texts: Iterable[str]) -> Cut:
        kept: list[str] = []
        numbers: list[int] = []
        lengths: list[list[int]] = []  # of the sentences of each text; a text as a whole is one
        spellings: list[int] = []
        left = Left()
        for text in texts:
            read, unread = self._read(text)
            kept.append(text)
            lengths.append([len(found) for found, _ in read])
            left = left.and_of(unread)
            for found, spelt in read:
                numbers += found
                if self.speller is not None:
                    spellings += self.speller.number(spelt)
        offsets = starts(map(sum, lengths))
        spelled = None if self.speller is None else InMemory(np.array(spellings, np.int32), offsets)
        parts = None
        if self.sentences is not None:
            parts = InMemory(np.array([n for row in lengths for n in row], np.int32), starts(map(len, lengths)))
        return Cut(kept, InMemory(np.array(numbers, np.int32), offsets), spelled, parts, left)

    def _read(self, text: str) -> tuple[list[tuple[list[int], list[str]]], Left]:
        """The pieces of each sentence that is read, and what is left of the text."""
        if self.sentences is None:
            return [self._pieces(text)], Left()
        whole = [self._pieces(sentence) for sentence in text.split("\n")]
        most, longest = self.sentences
        read = [(found[:longest], spelt[:longest]) for found, spelt in whole[:most]]
        unread = sum(len(found) for found, _ in whole) - sum(len(found) for found, _ in read)
        return read, Left(int(unread > 0), len(whole) - len(read), unread)

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


def starts(lengths: Iterable[int]) -> NDArray[np.int64]:
    """Where rows of these lengths begin and, behind them, where the last one ends."""
    return np.concatenate([[0], np.cumsum(list(lengths))]).astype(np.int64)
