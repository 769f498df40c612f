"""IWSLT 2014: TED talks, German and English (Cettolo et al. 2014).

Source: the German-English set of the IWSLT 2014 campaign in the usual preparation of fairseq
(examples/translation/prepare-iwslt14.sh, before BPE). That preparation is a script to run, not a file to
fetch, so nothing is downloaded. TED transcripts: CC BY-NC-ND 4.0.

The text is tokenised and lower-cased with the Moses scripts. HTML escapes (``&apos;``) are unescaped here;
with ``detokenize`` the Moses tokenisation is undone by sacremoses, so that scores are computed on plain text.
Letter case is lost for good: compare only with other lower-cased scores.

Files ``train``, ``valid`` and ``test`` become the splits train, val and test, and pairs of val or test are
left out of train. Where there is no ``test`` file, test is held out from train; where there is no ``train``
file either, train, val and test are all cut from ``valid``, and no two of them share a sentence of either
side.
"""

import html
from collections.abc import Callable
from typing import Literal

from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, find
from attnlab.data.splitting import Size, Splits
from attnlab.data.text import clean
from attnlab.ranges import PathText, Seed

Language = Literal["de", "en"]


class Iwslt14(PublicPairs):
    """German to English, or back.

    Args:
        root: data folder; the files are ``iwslt14_deen/<part>.<language>[.gz]`` in it.
        source_language: "de" or "en".
        target_language: the other.
        detokenize: undo the Moses tokenisation.
        val_size: pairs (int) or share (float below 1) to hold out, at most, where no file is given.
        test_size: likewise.
        split_seed: of that draw.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
    """

    name = "iwslt14"
    folder = "iwslt14_deen"
    source = "IWSLT 2014 German-English as prepared by fairseq's prepare-iwslt14.sh"

    def __init__(
        self,
        root: PathText,
        source_language: Language = "de",
        target_language: Language = "en",
        detokenize: bool = True,
        val_size: Size = 500,
        test_size: Size = 500,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
    ) -> None:
        selection = detokenize, val_size, test_size, split_seed, malformed
        super().__init__(root, source_language, target_language, malformed, download=False, selection=selection)
        self._detokenize = detokenize
        self.parts = self._parts()
        apart: Literal["pair", "sentence"] = "pair" if "val" in self.parts else "sentence"
        self._splits = Splits(self.name, self.streams(), apart, val_size, test_size, split_seed)

    def _parts(self) -> dict[str, str]:
        """File stem by split, of those there are."""
        found = {part for part in ("train", "test") if find(self.place, f"{part}.{self.source_language}")}
        if "train" not in found:
            return {"train": "valid"}
        return {"train": "train", "val": "valid"} | ({"test": "test"} if "test" in found else {})

    def plain(self, language: str) -> Callable[[str], str]:
        return _plain(language, self._detokenize)


def _plain(language: str, detokenize: bool) -> Callable[[str], str]:
    """Unescape, and undo the tokenisation where asked to."""
    if not detokenize:
        return lambda text: clean(html.unescape(text))
    from sacremoses import MosesDetokenizer

    moses = MosesDetokenizer(lang=language)
    return lambda text: clean(moses.detokenize(html.unescape(text).split()))
