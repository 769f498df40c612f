"""What corpora of public files share: two line-aligned files a part, one of each language, found or fetched."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from attnlab.data.corpus import Pair, Report
from attnlab.data.download import Remote, obtain
from attnlab.data.reading import Faults, Malformed, Stream, aligned, content_hash
from attnlab.data.splitting import SplitCorpus, require_two_languages


class PublicPairs(SplitCorpus):
    """A corpus whose files are ``<folder>/<part>.<language>[.gz]`` in the data folder.

    A subclass says where its files are published (``remote``), which part is which split, and what of its settings
    decides what is read.

    Args:
        root: data folder.
        source_language, target_language: two that it has.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch missing files.
        selection: the values of all settings that decide what is read; part of the fingerprint.
    """

    name: str
    source: str  #: where the files come from, in words
    folder: str  #: below the data folder

    def __init__(
        self,
        root: str,
        source_language: str,
        target_language: str,
        malformed: Malformed,
        download: bool,
        selection: Iterable[object] = (),
    ) -> None:
        require_two_languages(self.name, source_language, target_language)
        self.source_language, self.target_language = source_language, target_language
        self.report = Report()
        self.place = Path(root).expanduser() / self.folder
        self.parts: dict[str, str] = {}  #: by split, where files are splits
        self._malformed: Malformed = malformed
        self._download = download
        self._selection = tuple(selection)

    @property
    def languages(self) -> tuple[str, str]:
        return self.source_language, self.target_language

    def remote(self, name: str) -> Remote | None:
        """Where a file is published; None where it is not offered in this form."""
        return None

    def plain(self, language: str) -> Callable[[str], str] | None:
        """Makes plain text of a line of this language; None where it is plain as it stands."""
        return None

    def file(self, name: str) -> Path:
        return obtain(self.place, name, self.source, self.remote(name), self._download)

    def files(self, part: str) -> list[Path]:
        """Of source and target."""
        return [self.file(f"{part}.{language}") for language in self.languages]

    def faults(self, report: Report, split: str) -> Faults:
        return Faults(self._malformed, report, split)

    def pairs(self, part: str, report: Report, split: str) -> Iterator[Pair]:
        """The pairs of a part; its malformed lines are counted for the split."""
        left, right = self.files(part)
        found = aligned(left, right, self.faults(report, split))
        source, target = map(self.plain, self.languages)
        if source is None or target is None:
            return found
        return (Pair(source(pair.source), target(pair.target)) for pair in found)

    def streams(self) -> dict[str, Stream[Pair]]:
        """Of ``parts``."""
        return {split: partial(self.pairs, part) for split, part in self.parts.items()}

    def fingerprint(self) -> str:
        settings: dict[str, object] = {"corpus": self.name, "selection": self._selection, "files": self.parts}
        return content_hash(settings, [path for part in self.parts.values() for path in self.files(part)])
