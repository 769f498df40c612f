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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from attnlab.data.corpus import Pair, Report
from attnlab.data.download import obtain
from attnlab.data.reading import Faults, Malformed, aligned, content_hash, find
from attnlab.data.splitting import Size, SplitCorpus, Splits, require_two_languages
from attnlab.data.text import clean
from attnlab.ranges import PathText, Seed

Language = Literal["de", "en"]


class Iwslt14(SplitCorpus):
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
        require_two_languages(self.name, source_language, target_language)
        self.source_language: str = source_language
        self.target_language: str = target_language
        self.report = Report()
        self._folder = Path(root).expanduser() / "iwslt14_deen"
        self._detokenize = detokenize
        self._malformed: Malformed = malformed
        self._files = self._parts()
        streams = {split: partial(self._stream, part) for split, part in self._files.items()}
        apart: Literal["pair", "sentence"] = "pair" if "val" in self._files else "sentence"
        self._splits = Splits(self.name, streams, apart, val_size, test_size, split_seed)
        self._selection = (detokenize, val_size, test_size, split_seed, malformed)

    def fingerprint(self) -> str:
        settings = {"corpus": self.name, "files": self._files, "selection": self._selection}
        return content_hash(settings, [path for part in self._files.values() for path in self._paths(part)])

    def _parts(self) -> dict[str, str]:
        """File stem by split, of those there are."""
        found = {part for part in ("train", "test") if find(self._folder, f"{part}.{self.source_language}")}
        if "train" not in found:
            return {"train": "valid"}
        return {"train": "train", "val": "valid"} | ({"test": "test"} if "test" in found else {})

    def _stream(self, part: str, report: Report, split: str) -> Iterator[Pair]:
        source, target = self._paths(part)
        plain = [_plain(code, self._detokenize) for code in (self.source_language, self.target_language)]
        for pair in aligned(source, target, Faults(self._malformed, report, split)):
            yield Pair(plain[0](pair.source), plain[1](pair.target))

    def _paths(self, part: str) -> list[Path]:
        names = [f"{part}.{code}" for code in (self.source_language, self.target_language)]
        return [obtain(self._folder, name, self.source, None, download=False) for name in names]


def _plain(language: str, detokenize: bool) -> Callable[[str], str]:
    """Unescape, and undo the tokenisation where asked to."""
    if not detokenize:
        return lambda text: clean(html.unescape(text))
    from sacremoses import MosesDetokenizer

    moses = MosesDetokenizer(lang=language)
    return lambda text: clean(moses.detokenize(html.unescape(text).split()))
