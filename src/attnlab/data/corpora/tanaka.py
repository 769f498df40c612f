"""Tanaka corpus: English and Japanese sentences of 4 to 16 words.

Source: odashi/small_parallel_enja on GitHub, cut from the Tanaka corpus (CC BY 2.0 FR, by way of Tatoeba).
Pre-tokenised: English by the Stanford tokenizer, lower-cased, "don 't" for "don't"; Japanese by KyTea. With
``detokenize`` English is joined by sacremoses and Japanese loses the blanks between its words.

Splits: ``train`` and ``val`` (the file dev, 500 pairs) are files; ``test`` is the file test where it is
there, otherwise held out from train. Training pairs with an English or Japanese sentence that val or test has
are left out (77 of the 500 English sentences of dev occur in the training file).
"""

import re
from collections.abc import Callable
from typing import Literal

from attnlab.data.download import Remote
from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, find
from attnlab.data.splitting import Size, Splits
from attnlab.ranges import PathText, Seed

Language = Literal["en", "ja"]

_URL = "https://raw.githubusercontent.com/odashi/small_parallel_enja/master/"
_SHA256 = {
    "train.en": "148b05dcd28638fe20ee84f2b1127001c80982be352007dda241fb759adadc76",
    "train.ja": "fc81a1434349ec98a449d7ae9cd2530057f689637684ecfed3501ea6a8a07ecc",
    "dev.en": "04a2673449770657fd5e3b963cb856be3130923212b6db8ac7eaeef18f06c041",
    "dev.ja": "cd534f56b8639dc130f86a365e5ec0aa70042000bdd740a622fbbf8b6be4acca",
}
_BESIDE_JAPANESE = re.compile(r"(?<=[^\x00-\x7f]) +| +(?=[^\x00-\x7f])")


class Tanaka(PublicPairs):
    """English to Japanese, or back.

    Args:
        root: data folder; the files are ``tanaka_enja/<part>.<language>[.gz]`` in it.
        source_language: "en" or "ja".
        target_language: the other.
        detokenize: plain text instead of words split by blanks.
        test_size: pairs (int) or share (float below 1) of train to hold out for test where it has no file.
        split_seed: of that draw.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch missing files of train and dev.
    """

    name = "tanaka"
    folder = "tanaka_enja"
    source = "https://github.com/odashi/small_parallel_enja"

    def __init__(
        self,
        root: PathText,
        source_language: Language = "en",
        target_language: Language = "ja",
        detokenize: bool = False,
        test_size: Size = 500,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
        download: bool = True,
    ) -> None:
        selection = detokenize, test_size, split_seed, malformed
        super().__init__(root, source_language, target_language, malformed, download, selection)
        self._detokenize = detokenize
        self.parts = {"train": "train", "val": "dev"}
        if find(self.place, f"test.{source_language}"):
            self.parts["test"] = "test"
        self._splits = Splits(self.name, self.streams(), "sentence", 0, test_size, split_seed)

    def remote(self, name: str) -> Remote | None:
        return Remote(f"{_URL}{name}", f"sha256:{_SHA256[name]}") if name in _SHA256 else None

    def plain(self, language: str) -> Callable[[str], str] | None:
        return _plain(language) if self._detokenize else None


def _plain(language: str) -> Callable[[str], str]:
    if language == "ja":
        return lambda text: _BESIDE_JAPANESE.sub("", text)
    from sacremoses import MosesDetokenizer

    moses = MosesDetokenizer(lang=language)
    return lambda text: str(moses.detokenize(text.split(), unescape=False))
