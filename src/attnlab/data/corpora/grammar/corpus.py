"""The ``grammar`` data set: English-German pairs from a synchronous grammar of our own, exactly aligned.

A derivation (:mod:`attnlab.data.corpora.grammar.tree`) is drawn and said in both languages at once; every German
word knows the English words that it comes from. Sure links join words one to one (noun and noun, verb and
verb, mark and mark). Possible ones add what an annotator would allow: article and noun; all words of one verb
complex ("does call" and "ruft an"); "to" and an infinitive; "not" and "a" with "kein"; "the" with "im"; and a
German comma that has no English one with the conjunction or relative pronoun it stands for (a closing comma:
also with the clause's last word). Every word of both sides has a link, and no word has two sure ones: one
link a word, on either side, can reach an alignment error rate of 0.

The German is a function of the English. Splits share no sentence of either side: a checksum of the German
sentence says which of train, val and test it may go to, so that no split depends on the size of another.
``test_long`` has more words on both sides than any sentence of the other splits, punctuation marks counted or
not. All lengths count the words of the alignment, marks included.
"""

import hashlib
import json
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import Annotated, Literal, NamedTuple
from zlib import crc32

from annotated_types import Interval

from attnlab.data.corpora.grammar.clauses import COMMA, sentence
from attnlab.data.corpora.grammar.phrases import Said, Word
from attnlab.data.corpora.grammar.sampler import Sampler
from attnlab.data.corpora.grammar.tree import Sentence
from attnlab.data.corpus import Alignment, Pair, Report, require_split
from attnlab.ranges import OneOrMore, Seed
from attnlab.types import ConfigError, DataError

SHORTEST = 3
_BUDGETS = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3)  #: recursive steps of a sentence of the usual length
_LONG_BUDGETS = (4, 5, 6, 7, 8)
_SHARES = {"train": range(16), "val": range(16, 18), "test": range(18, 20)}  #: of the checksum modulo 20
_PATIENCE = 50_000  #: sentences drawn in a row without a new one that fits
_MARKS = frozenset(",.?")
_END = Word("")


def _said(derivation: Sentence) -> Said:
    """Both sentences with a capital at the start; a German comma before another mark gives way to it."""
    english, words = sentence(derivation)
    german = [word for word, after in pairwise([*words, _END]) if word.text != COMMA or after.text not in _MARKS]
    for first in (english[0], german[0]):
        first.text = first.text[0].upper() + first.text[1:]
    return Said(english, german)


def _linked(said: Said) -> Pair:
    english, german = said
    for position, word in enumerate(english):
        word.position = position
    sure, possible = [], []
    for position, word in enumerate(german):
        sources = {other.position for other in word.possible}
        if word.sure:
            sure.append((word.sure.position, position))
            sources.add(word.sure.position)
        possible += [(source, position) for source in (sorted(sources) if len(sources) > 1 else sources)]
    source_words, target_words = (tuple(word.text for word in words) for words in said)
    alignment = Alignment(source_words, target_words, tuple(sure), tuple(possible))
    return Pair(_text(english), _text(german), alignment)


def _text(words: list[Word]) -> str:
    text = " ".join([word.text for word in words])
    return text.replace(" ,", ",").replace(" .", ".").replace(" ?", "?")


def _flipped(pair: Pair) -> Pair:
    assert pair.alignment is not None
    source_words, target_words, sure, possible = pair.alignment
    turned = Alignment(target_words, source_words, _turned(sure), _turned(possible))
    return Pair(pair.target, pair.source, turned)


def _turned(links: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(((j, i) for i, j in links), key=lambda link: (link[1], link[0])))


class _Lengths(NamedTuple):
    """What a split takes: words with marks at most, words without marks at least, on both sides."""

    longest: int
    fewest: int
    budgets: tuple[int, ...]
    eager: float


class Grammar:
    """Sentence pairs made on the spot; see the module's text.

    Raises:
        ConfigError: a size below 1, languages that are not English and German, lengths that leave no room.
    """

    name = "grammar"
    splits = ("train", "val", "test", "test_long")

    def __init__(
        self,
        seed: Seed = 1,
        train_size: OneOrMore = 20000,
        val_size: OneOrMore = 500,
        test_size: OneOrMore = 1000,
        max_words: Annotated[int, Interval(ge=8, le=40)] = 20,
        max_words_long: Annotated[int, Interval(ge=16, le=60)] = 40,
        source_language: Literal["en", "de"] = "en",
        target_language: Literal["en", "de"] = "de",
    ) -> None:
        self._sizes = {"train": train_size, "val": val_size, "test": test_size, "test_long": test_size}
        self._settings = [seed, train_size, val_size, test_size, max_words, max_words_long, source_language]
        self._seed, self._max_words, self._max_words_long = seed, max_words, max_words_long
        self.source_language: str = source_language
        self.target_language: str = target_language
        self.report = Report()
        self._check()

    def _check(self) -> None:
        small = [f"{split}: {size}" for split, size in self._sizes.items() if size < 1]
        if small:
            raise ConfigError(f"grammar: sizes must be at least 1; got {', '.join(small)}")
        if {self.source_language, self.target_language} != {"en", "de"}:
            raise ConfigError(
                f"grammar translates between en and de; got {self.source_language} to {self.target_language}"
            )
        room = self._max_words_long - self._max_words
        if not (8 <= self._max_words <= 40 and room >= 8 and self._max_words_long <= 60):
            raise ConfigError(
                "grammar: max_words must be 8 to 40 and max_words_long from max_words + 8 to 60; "
                f"got {self._max_words} and {self._max_words_long}"
            )

    def read(self, split: str) -> Iterator[Pair]:
        """Draw the pairs of a split, the same ones at each call.

        Raises:
            DataError: the split is unknown, or there are not as many different sentences as it should have.
        """
        require_split(self, split)
        self.report.begin(split)
        turn = self.source_language == "de"
        for pair in self._draw(split):
            self.report.keep(split)
            yield _flipped(pair) if turn else pair

    def _draw(self, split: str) -> Iterator[Pair]:
        random = Random(f"{self._seed}/{split}")
        sampler, lengths, seen = Sampler(random), self._lengths(split), set[str]()
        share, size, last = _SHARES.get(split, range(20)), self._sizes[split], 0
        for tried in count():
            if len(seen) == size:
                return
            if tried - last > _PATIENCE:
                raise DataError(
                    f"grammar: {split} wants {size} different sentences, and only {len(seen)} of at most "
                    f"{lengths.longest} words were found; make the split smaller or max_words larger"
                )
            budget = lengths.budgets[int(random.random() * len(lengths.budgets))]
            said = _said(sampler.sentence(budget, lengths.eager))
            german = _text(said.german)
            if _fits(said, lengths) and german not in seen and crc32(german.encode()) % 20 in share:
                seen.add(german)
                last = tried
                yield _linked(said)

    def _lengths(self, split: str) -> _Lengths:
        if split == "test_long":
            return _Lengths(self._max_words_long, self._max_words, _LONG_BUDGETS, 3.0)
        return _Lengths(self._max_words, 0, _BUDGETS, 1.5)

    def fingerprint(self) -> str:
        """Hash of the settings and of the source text of the grammar's modules."""
        digest = hashlib.sha256(json.dumps(self._settings).encode())
        for path in sorted(Path(__file__).parent.glob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()


def _fits(said: Said, lengths: _Lengths) -> bool:
    if not all(SHORTEST <= len(words) <= lengths.longest for words in said):
        return False
    return not lengths.fewest or all(_spoken(words) >= lengths.fewest for words in said)


def _spoken(words: list[Word]) -> int:
    return sum(word.text not in _MARKS for word in words)
