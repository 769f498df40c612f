r"""One's own parallel text: two line-aligned files, or one tab-separated file; plain or gzip, UTF-8.

    python train.py dataset=parallel dataset.source_language=en dataset.target_language=de \
        dataset.train=[my.en,my.de] dataset.val_size=500 dataset.test_size=500
    python train.py dataset=parallel … dataset.train=my.tsv.gz dataset.test=[test.en,test.de]

    python train.py dataset=parallel … dataset.test=[test.en,test.de] dataset.test_alignment=test.talp

Train, val and test can be files of their own; val and test that are not named are held out from train.
Reading streams: memory holds the pairs of val and test, not those of train.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attnlab.data.corpus import Pair, Report
from attnlab.data.files import lines
from attnlab.data.gold import Base, with_links
from attnlab.data.reading import Faults, Malformed, content_hash, named_file, numbered_aligned, numbered_tabbed
from attnlab.data.splitting import Apart, Size, SplitCorpus, Splits
from attnlab.ranges import PathText, Seed, ZeroOrMore
from attnlab.types import ConfigError

Files = PathText | list[PathText] | None


class Parallel(SplitCorpus):
    """Line N of one file translates line N of the other; or source and target are two columns of one file.

    Args:
        root: folder that file names are looked up in where they are not found from the current folder;
            ``.gz`` at the end of a name may be left out.
        source_language: ISO 639-1 code, such as "en".
        target_language: likewise.
        train: two files ``[source, target]``, or one tab-separated file; null where only val or test is read.
        val: likewise; null: held out from train.
        test: likewise; null: held out from train.
        columns: source and target column of a tab-separated file, counted from 0. Fields are taken as they
            stand: a quotation mark is text.
        header: skip the first line of a tab-separated file.
        val_size: pairs (int) or share (float below 1) to hold out, at most; read where ``val`` is null.
        test_size: likewise.
        split_seed: of that draw.
        apart: no two splits share a "pair", or no two share a "sentence" of either side. What val and
            test share is left out of train, with a count.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        train_alignment: gold word alignments of the lines of ``train`` (and of what is held out from it), in Pharaoh's
            format: ``0-0 1-2 2?1``, sure and possible (see ``gold``). Words are what blanks part.
        val_alignment: those of ``val``.
        test_alignment: those of ``test``: AER is measured on them.
        alignment_base: where their words are counted from.
    """

    name = "parallel"

    def __init__(
        self,
        root: PathText,
        source_language: str,
        target_language: str,
        train: Files = None,
        val: Files = None,
        test: Files = None,
        columns: list[ZeroOrMore] | None = None,
        header: bool = False,
        val_size: Size = 1000,
        test_size: Size = 1000,
        split_seed: Seed = 0,
        apart: Apart = "pair",
        malformed: Malformed = "skip",
        train_alignment: PathText | None = None,
        val_alignment: PathText | None = None,
        test_alignment: PathText | None = None,
        alignment_base: Base = 0,
    ) -> None:
        self._columns = _columns(columns)
        named = {"train": _names("train", train), "val": _names("val", val), "test": _names("test", test)}
        self._named = {split: names for split, names in named.items() if names}
        if not self._named:
            raise ConfigError("parallel: no file is named; set dataset.train=[my.en,my.de] or dataset.train=my.tsv")
        self.source_language, self.target_language = source_language, target_language
        self.report = Report()
        self._root = Path(root).expanduser()
        self._header = header
        self._malformed: Malformed = malformed
        links = {"train": train_alignment, "val": val_alignment, "test": test_alignment}
        self._links = {split: name for split, name in links.items() if name is not None}
        self._base: Base = alignment_base
        for split in self._links:
            if split not in self._named:
                raise ConfigError(f"parallel: {split}_alignment came without {split}; name its files, too")
        streams = {split: partial(self._stream, names) for split, names in self._named.items()}
        self._splits = Splits(self.name, streams, apart, val_size, test_size, split_seed)
        self._selection = (self._columns, header, val_size, test_size, split_seed, apart, malformed)

    def fingerprint(self) -> str:
        settings: dict[str, object] = {
            "corpus": self.name,
            "parts": {split: len(names) for split, names in self._named.items()},
            "selection": self._selection,
        }
        if self._links:
            settings["links"] = [list(self._links), self._base]
        names = [*(name for names in self._named.values() for name in names), *self._links.values()]
        return content_hash(settings, map(self._path, names))

    def _stream(self, names: list[str], report: Report, split: str) -> Iterator[Pair]:
        faults = Faults(self._malformed, report, split)
        paths = [self._path(name) for name in names]
        if len(paths) == 1:
            pairs = numbered_tabbed(paths[0], self._columns, faults, self._header)
        else:
            pairs = numbered_aligned(paths[0], paths[1], faults)
        if split not in self._links:
            return (pair for _, pair in pairs)
        head = int(self._header and len(paths) == 1)  # which has no links
        total = sum(1 for _ in lines(paths[0])) - head
        counted = ((number - head, pair) for number, pair in pairs)
        return with_links(counted, self._path(self._links[split]), self._base, total)

    def _path(self, name: str) -> Path:
        return named_file(name, self._root)


def _names(option: str, files: Files) -> list[str]:
    """File names of one split: none, one (tab-separated) or two (line-aligned)."""
    names = [files] if isinstance(files, str) else list(files or [])
    if len(names) > 2:
        raise ConfigError(f"parallel: {option} names {len(names)} files; expected [source, target] or one TSV file")
    return names


def _columns(columns: list[ZeroOrMore] | None) -> tuple[int, int]:
    if columns is None:
        return (0, 1)
    if len(columns) != 2 or min(columns) < 0 or columns[0] == columns[1]:
        raise ConfigError(f"parallel: columns={list(columns)}: expected two different columns counted from 0")
    return (columns[0], columns[1])
