"""Tatoeba: short everyday sentences, English and another language.

Source: Tatoeba (tatoeba.org) in the tab-separated selections of manythings.org/anki, ``ENGLISH TAB OTHER
[TAB attribution]``; CC BY 2.0. The publisher replaces its files from time to time, so there is no checksum to
compare with: the file fetched first is kept and used from then on, and its hash is in the fingerprint.

The file is sorted from short to long. One sentence often has several translations, each on a line of its own;
pairs connected by a shared sentence of either side stay in one split, so that no two splits share a sentence.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from attnlab.data.corpus import Pair, require_split
from attnlab.data.download import Member, Remote
from attnlab.data.groups import split_by_groups
from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, content_hash, deliver, tabbed
from attnlab.data.splitting import Size, count, lowest_ranked, rank
from attnlab.ranges import OneOrMore, PathText, Seed
from attnlab.types import ConfigError

_CODES = {  # ISO 639-1 to the three-letter names of the files
    "de": "deu",
    "fr": "fra",
    "zh": "cmn",
    "es": "spa",
    "it": "ita",
    "pt": "por",
    "nl": "nld",
    "ru": "rus",
    "ja": "jpn",
    "tr": "tur",
}


class Tatoeba(PublicPairs):
    """English to another language, or back.

    Args:
        root: data folder; the file is ``tatoeba/deu.txt[.gz]`` (fra, cmn, …) in it.
        source_language: "en" or one of de, fr, zh, es, it, pt, nl, ru, ja, tr.
        target_language: likewise; one of the two is "en".
        first: only the first pairs in file order, which are the shortest (as the well-known tutorial does).
        sample: only so many different pairs drawn at random, after ``first``.
        val_size: pairs (int) or share (float below 1) of what ``first`` and ``sample`` leave.
        test_size: likewise; train is what remains.
        split_seed: decides the draw and the splits; it is no training seed, so that runs that differ in
            ``seed`` share their splits.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch a missing file.
    """

    name = folder = "tatoeba"
    source = "https://www.manythings.org/anki/"

    def __init__(
        self,
        root: PathText,
        source_language: str = "en",
        target_language: str = "de",
        first: OneOrMore | None = None,
        sample: OneOrMore | None = None,
        val_size: Size = 1000,
        test_size: Size = 1000,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
        download: bool = True,
    ) -> None:
        other = target_language if source_language == "en" else source_language
        if {source_language, target_language} != {"en", other} or other not in _CODES:
            raise ConfigError(
                f"tatoeba: source_language={source_language}, target_language={target_language}: expected "
                f"'en' on one side and one of {', '.join(_CODES)} on the other"
            )
        for option, number in (("first", first), ("sample", sample)):
            if number is not None and number < 1:
                raise ConfigError(f"tatoeba: {option}={number}: expected at least 1 pair, or null for all")
        for option, size in (("val_size", val_size), ("test_size", test_size)):
            count(size, 0, option)
        selection = first, sample, val_size, test_size, split_seed, malformed
        super().__init__(root, source_language, target_language, malformed, download, selection)
        self._code = _CODES[other]
        self._first, self._sample = first, sample
        self._sizes, self._seed = (val_size, test_size), split_seed
        self._split: dict[str, list[Pair]] = {}

    def remote(self, name: str) -> Remote:
        archive = f"https://www.manythings.org/anki/{self._code}-eng.zip"
        return Remote(archive, None, (Member(name, name),))

    @property
    def splits(self) -> tuple[str, ...]:
        return ("train", "val", "test")

    def read(self, split: str) -> Iterator[Pair]:
        require_split(self, split)
        return deliver(self._pairs(split), self.report, split, self.name)

    def fingerprint(self) -> str:
        settings = {"corpus": self.name, "languages": self.languages, "selection": self._selection}
        return content_hash(settings, [self._path()])

    def _pairs(self, split: str) -> Iterator[Pair]:
        if not self._split:
            self._split = split_by_groups(self._selected(), *self._sizes, self._seed)
        yield from self._split[split]

    def _selected(self) -> list[Pair]:
        """What ``first`` and ``sample`` leave, in file order and in the direction of translation."""
        self.report.begin("all")
        columns = (0, 1) if self.source_language == "en" else (1, 0)
        pairs = tabbed(self._path(), columns, self.faults(self.report, "all"))
        selected = list(islice(pairs, self._first))
        if self._sample is None:
            return selected
        drawn = set(lowest_ranked(selected, self._sample, lambda pair: rank(self._seed, pair)))
        return [pair for pair in dict.fromkeys(selected) if pair in drawn]

    def _path(self) -> Path:
        return self.file(f"{self._code}.txt")
