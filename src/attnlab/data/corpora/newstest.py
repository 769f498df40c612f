"""newstest2014, German and English: a small out-of-domain set of news (Bojar et al. 2014).

Source: the WMT14 test sets of statmt.org, the first 1,000 pairs of the full German-English set; the further
references are those of Ott et al. 2018, "Analyzing Uncertainty in Neural Machine Translation" (CC BY-NC 4.0).

It is a test set, made to score models trained on something else. As every corpus has three splits, its lines
are cut in document order, so that hardly any news item is in two splits: the first ``test_size`` lines are
test, the next ``val_size`` val, the rest train. ``test_size=1000 val_size=0`` makes all of it test.
"""

import html
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Literal

from attnlab.data.corpus import Pair, Report
from attnlab.data.download import Member, Remote, obtain
from attnlab.data.files import lines
from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, content_hash
from attnlab.data.splitting import Splits
from attnlab.data.text import clean
from attnlab.ranges import PathText, ZeroOrMore
from attnlab.types import ConfigError, DataError

Language = Literal["de", "en"]

_STEM = "newstest2014_first1000"
_PAIRS = 1000
_REFERENCES = "wmt14_en-de.extra_refs"
_SEGMENT = re.compile(rb"<seg[^>]*>(.*?)</seg>", re.DOTALL)


class Newstest(PublicPairs):
    """German to English, or back.

    Args:
        root: data folder; the files are ``newstest/newstest2014_first1000.<language>[.gz]`` in it and, for
            ``references``, ``newstest/wmt14_en-de.extra_refs[.gz]``.
        source_language: "de" or "en".
        target_language: the other.
        val_size: lines of val.
        test_size: lines of test.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch missing files, but for the further references.
    """

    name = folder = "newstest"
    source = "https://statmt.org/wmt14/ (test-full.tgz)"
    references_source = "https://github.com/facebookresearch/analyzing-uncertainty-nmt"

    def __init__(
        self,
        root: PathText,
        source_language: Language = "en",
        target_language: Language = "de",
        val_size: ZeroOrMore = 200,
        test_size: ZeroOrMore = 500,
        malformed: Malformed = "skip",
        download: bool = True,
    ) -> None:
        if val_size < 0 or test_size < 0:
            raise ConfigError(f"newstest: val_size={val_size}, test_size={test_size}: expected 0 or more lines")
        selection = val_size, test_size, malformed
        super().__init__(root, source_language, target_language, malformed, download, selection)
        bounds = {
            "test": (0, test_size),
            "val": (test_size, test_size + val_size),
            "train": (test_size + val_size, None),
        }
        self._splits = Splits(self.name, {split: partial(self._cut, *ends) for split, ends in bounds.items()}, "pair")

    def references(self, split: str) -> Iterator[tuple[str, ...]]:
        """The ten further German translations of each English sentence of a split; () where there are none.

        Raises:
            DataError: the file is missing, or the direction is not English to German.
        """
        if self.source_language != "en":
            raise DataError("newstest: further references are for source_language=en, target_language=de only")
        further = self._further()
        return (further.get(pair.source, ()) for pair in self.read(split))

    def remote(self, name: str) -> Remote | None:
        return None if name == _REFERENCES else _ARCHIVE

    def fingerprint(self) -> str:
        return content_hash({"corpus": self.name, "selection": self._selection}, self.files(_STEM))

    def _cut(self, start: int, stop: int | None, report: Report, split: str) -> Iterator[Pair]:
        return islice(self.pairs(_STEM, report, split), start, stop)

    def _further(self) -> dict[str, tuple[str, ...]]:
        """Further references by source sentence; rows are ``KIND-NUMBER TAB SENTENCE``, S is the source."""
        path = obtain(self.place, _REFERENCES, self.references_source, None, download=False)
        sources: dict[str, str] = {}
        references: dict[str, list[str]] = {}
        for number, line in enumerate(lines(path), 1):
            match = re.fullmatch(r"(S|T|R\d+)-(\d+)\t(.*)", line.decode(errors="replace"))
            if match is None:
                raise DataError(f"{path}:{number}: expected KIND-NUMBER, a tab and a sentence; replace the file")
            kind, key, text = match.groups()
            if kind == "S":
                sources[key] = clean(text)
            elif kind != "T":
                references.setdefault(key, []).append(clean(text))
        return {sources[key]: tuple(texts) for key, texts in references.items()}


def _segments(content: bytes) -> bytes:
    """The first 1,000 segments of an SGML test set, a line each."""
    found = (match[1].decode("utf-8") for match in islice(_SEGMENT.finditer(content), _PAIRS))
    return "".join(f"{clean(html.unescape(text))}\n" for text in found).encode()


_ARCHIVE = Remote(
    "https://statmt.org/wmt14/test-full.tgz",
    "md5:a8cd784e006feb32ac6f3d9ec7eb389a",  # as sacreBLEU has it
    (
        Member("test-full/newstest2014-deen-src.de.sgm", f"{_STEM}.de", _segments),
        Member("test-full/newstest2014-deen-ref.en.sgm", f"{_STEM}.en", _segments),
    ),
)
