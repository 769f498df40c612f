r"""BPE-dropout: a word is cut anew each time, as merges are left out at random.

    in every step each possible merge is left out with probability p; of the others the one learnt first is made;
    where all are left out the word stays as it is

Provilkov, Emelianenko and Voita 2020, "BPE-dropout: simple and effective subword regularization", algorithm 1. The
library ``tokenizers`` has it, too, but draws from a generator that cannot be seeded (0.23: no argument, no state), so
that a run could be neither repeated nor resumed; and its queue lets a merge that was left out be drawn again in the
same step behind pairs that are gone.

Possible merges are looked at in the order in which they would be made, one draw each, and no draw is needed behind the
first that is not left out. So all draws of a line are one row of independent ones with probability p, of which only the
distances between those that leave out are drawn (geometric): a word that none falls on is cut as ever, from a table.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np

from attnlab.data.tokenizers.bpe import Bpe
from attnlab.symbols import UNK

Pieces = tuple[int, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")
KEPT = 1 << 17  #: words and parts of words whose pieces and merges are remembered
AHEAD = 16  #: distances drawn at once


class BpeDropout:
    """Cuts lines with a learnt tokenizer.

    Args:
        tokenizer: fitted.
        dropout: p.
    """

    def __init__(self, tokenizer: Bpe, dropout: float) -> None:
        model = tokenizer.state()["model"]
        self.tokenizer, self.dropout, self.vocabulary = tokenizer, dropout, model["vocab"]
        self.merges = {
            (self.vocabulary[left], self.vocabulary[right]): (rank, self.vocabulary[left + right])
            for rank, (left, right) in enumerate(model["merges"])
        }
        self._words: dict[str, list[Pieces]] = {}
        self._possible: dict[Pieces, list[int]] = {}

    def encode(self, line: str, draws: np.random.Generator) -> list[int]:
        """Ids of the pieces."""
        distances = self._distances(draws)
        left, found = next(distances), list[int]()
        for word in self.tokenizer.words(line):
            if (path := self._words.get(word)) is None:
                path = remember(self._words, word, self._path(word))
            if left >= len(path) - 1:
                left -= len(path) - 1
                found.extend(path[-1])
            else:
                pieces, left = self._cut(path[left], distances)
                found.extend(pieces)
        return found

    def _distances(self, draws: np.random.Generator) -> Iterator[int]:
        """How many draws leave nothing out before one does, again and again."""
        while True:
            yield from (draws.geometric(self.dropout, AHEAD) - 1).tolist()

    def _path(self, word: str) -> list[Pieces]:
        """The characters, and the pieces behind each merge when nothing is left out."""
        path = [tuple(self.vocabulary.get(character, UNK) for character in word)]
        while places := self.possible(path[-1]):
            path.append(self._merged(path[-1], places[0]))
        return path

    def _cut(self, pieces: Pieces, distances: Iterator[int]) -> tuple[Pieces, int]:
        """What becomes of pieces whose next merge is left out, and the draws left until another one is."""
        left, made = 0, True
        while made:
            made = False
            for place in self.possible(pieces):
                if left:
                    pieces, left, made = self._merged(pieces, place), left - 1, True
                    break
                left = next(distances)
        return pieces, left

    def possible(self, pieces: Pieces) -> list[int]:
        """Where two neighbours can be merged: the merge learnt first comes first, of equal ones the leftmost."""
        if (known := self._possible.get(pieces)) is None:
            ranks = ((self.merges.get(pair), place) for place, pair in enumerate(pairwise(pieces)))
            found = [place for _, place in sorted((merge[0], place) for merge, place in ranks if merge)]
            known = remember(self._possible, pieces, found)
        return known

    def _merged(self, pieces: Pieces, place: int) -> Pieces:
        _, made = self.merges[pieces[place], pieces[place + 1]]
        return (*pieces[:place], made, *pieces[place + 2 :])


def remember(table: dict[Key, Value], key: Key, value: Value) -> Value:
    """Keep a value; a table that is full begins again."""
    if len(table) >= KEPT:
        table.clear()
    table[key] = value
    return value
