"""Europarl: speeches of the European Parliament, German and English (Koehn 2005), long real-world sentences.

Source: Europarl v7 in the WMT13 training archive of statmt.org (657 MB, of which the two German-English files
are kept). Raw text, cased, untokenised. No known copyright restrictions; please cite Koehn 2005.

One file of 1.9 million pairs (or its opening 20,000); val and test are held out from it, and no two splits
share a sentence of either side. Pairs that are no translations can be left out, with a count in the report.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Literal

from attnlab.data.corpus import Pair, Report
from attnlab.data.download import Member, Remote
from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, content_hash
from attnlab.data.splitting import Size, Splits
from attnlab.ranges import OneOrMore, PathText, Positive, Seed
from attnlab.types import ConfigError

Language = Literal["de", "en"]

_ARCHIVE = Remote(
    "https://www.statmt.org/wmt13/training-parallel-europarl-v7.tgz",
    "sha256:0224c7c710c8a063dfd893b0cc0830202d61f4c75c17eb8e31836103d27d96e7",
    tuple(Member(f"training/europarl-v7.de-en.{code}", f"train.{code}") for code in ("de", "en")),
)


class Europarl(PublicPairs):
    """German to English, or back.

    Args:
        root: data folder; the files are ``europarl_deen/train.<language>[.gz]`` in it.
        source_language: "de" or "en".
        target_language: the other.
        first: only the first pairs in file order; null: all.
        max_ratio: leave out pairs one side of which has more than so many times the words of the other; null:
            none.
        max_length: leave out pairs with a side of more than so many words; null: none.
        drop_untranslated: leave out pairs with identical sides or with a side that has no letter and no
            digit.
        val_size: pairs (int) or share (float below 1) to hold out, at most.
        test_size: likewise.
        split_seed: of that draw.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch missing files.
    """

    name = "europarl"
    folder = "europarl_deen"
    source = "https://www.statmt.org/europarl/ (v7, de-en)"

    def __init__(
        self,
        root: PathText,
        source_language: Language = "de",
        target_language: Language = "en",
        first: OneOrMore | None = 20_000,
        max_ratio: Positive | None = 3.0,
        max_length: OneOrMore | None = 100,
        drop_untranslated: bool = True,
        val_size: Size = 1000,
        test_size: Size = 1000,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
        download: bool = True,
    ) -> None:
        if max_ratio is not None and max_ratio < 1:
            raise ConfigError(f"europarl: max_ratio={max_ratio}: expected at least 1 (or null to keep all)")
        selection = first, max_ratio, max_length, drop_untranslated, val_size, test_size, split_seed, malformed
        super().__init__(root, source_language, target_language, malformed, download, selection)
        self._first, self._max_ratio, self._max_length = first, max_ratio, max_length
        self._drop_untranslated = drop_untranslated
        self._splits = Splits(
            self.name, {"train": partial(self.pairs, "train")}, "sentence", val_size, test_size, split_seed
        )

    def remote(self, name: str) -> Remote:
        return _ARCHIVE

    def fingerprint(self) -> str:
        return content_hash({"corpus": self.name, "selection": self._selection}, self.files("train"))

    def pairs(self, part: str, report: Report, split: str) -> Iterator[Pair]:
        pairs = super().pairs(part, report, split)
        for number, pair in enumerate(islice(pairs, self._first), 1):
            noise = self._noise(pair)
            if noise:
                report.skip(split, noise, f"pair {number}")
            else:
                yield pair

    def _noise(self, pair: Pair) -> str:
        """Why a pair is taken for no translation; empty where it is not."""
        lengths = sorted((len(pair.source.split()), len(pair.target.split())))
        if self._max_length is not None and lengths[1] > self._max_length:
            return f"more than {self._max_length} words"
        if self._max_ratio is not None and lengths[1] > self._max_ratio * lengths[0]:
            return f"length ratio over {self._max_ratio:g}"
        if self._drop_untranslated and pair.source == pair.target:
            return "identical sides"
        if self._drop_untranslated and not all(any(map(str.isalnum, side)) for side in pair[:2]):
            return "a side without letter or digit"
        return ""
