"""Hand-made word alignments as the test, and parallel text to learn from: how good is attention at aligning?

``deen``: 50 pairs of Europarl (Biçici); ``enfr``: the Hansards, ``roen``: the shared task of NAACL 2003 (Mihalcea and
Pedersen 2003); ``zhen``: TsinghuaAligner; ``jaen``: the Kyoto free translation task; ``grcen``: Ancient Greek
(Palladino, Shamsian and Yousef 2022). Sure and possible links are told apart where they are in the source.

As aligners do, training reads the sentences of the gold pairs, too: their texts, never their links.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from attnlab.data.corpus import Alignment, Pair, Report, require_split
from attnlab.data.files import lines
from attnlab.data.gold import Base, alignment_of
from attnlab.data.pharaoh import parted, words_of
from attnlab.data.reading import Faults, Malformed, aligned, content_hash, deliver, find, named_file
from attnlab.data.splitting import Size, SplitCorpus, Splits
from attnlab.ranges import OneOrMore, PathText, Seed
from attnlab.types import ConfigError, DataError


class Source(NamedTuple):
    """Gold links, as they are published."""

    languages: tuple[str, str]
    base: Base  #: of the numbers of words
    train: tuple[str, ...] = ()  #: parallel text of the same kind, below the data folder


SOURCES = {
    "deen": Source(("de", "en"), 0, ("europarl_deen/train.de", "europarl_deen/train.en")),
    "enfr": Source(("en", "fr"), 1),
    "roen": Source(("ro", "en"), 1),
    "zhen": Source(("zh", "en"), 1),
    "jaen": Source(("ja", "en"), 1),
    "grcen": Source(("el", "en"), 0),
}


class WordAlignment(SplitCorpus):
    """The gold pairs of a language pair as ``test``.

    Args:
        root: data folder; the files are ``word_alignment/<pair>.src-tgt`` and ``.gold`` in it.
        pair: which.
        turned: read the second language and write the first.
        train: parallel text, two files, in the order of ``pair``; null: what goes with it (Europarl with ``deen``), and
            of the others, as of an empty list, the gold pairs' own text alone.
        tokenize: how marks are parted from words in ``train``: ``moses`` (sacremoses), or ``none`` where they are.
        lowercase: all text.
        max_length: leave out training pairs with a side of more words; null: none.
        own_text: learn from the text of the gold pairs, too.
        val_size: pairs (int) or share (float below 1) of ``train`` to choose checkpoints by.
        split_seed: of that draw.
        malformed: leave malformed lines of ``train`` out with a count, or stop at the first.

    Raises:
        ConfigError: there is nothing to learn from.
    """

    name = "word_alignment"

    def __init__(
        self,
        root: PathText,
        pair: Literal["deen", "enfr", "roen", "zhen", "jaen", "grcen"] = "deen",
        turned: bool = False,
        train: list[PathText] | None = None,
        tokenize: Literal["moses", "none"] = "moses",
        lowercase: bool = True,
        max_length: OneOrMore | None = 80,
        own_text: bool = True,
        val_size: Size = 500,
        split_seed: Seed = 0,
        malformed: Malformed = "skip",
    ) -> None:
        self._source = SOURCES[pair]
        self._train = list(self._source.train) if train is None else train
        if len(self._train) not in (0, 2):
            raise ConfigError(
                f"word_alignment: train names {len(self._train)} files; expected [first, second] of {pair}"
            )
        if not self._train and not own_text:
            raise ConfigError("word_alignment: own_text=false leaves nothing to learn from; name train=[first,second]")
        self.source_language, self.target_language = self._source.languages[:: -1 if turned else 1]
        self._root, self._pair, self._turned = Path(root).expanduser(), pair, turned
        self._tokenize, self._lowercase, self._most, self._own = tokenize, lowercase, max_length, own_text
        self._malformed: Malformed = malformed
        self.report = Report()
        self._selection = pair, turned, tokenize, lowercase, max_length, own_text, val_size, split_seed, malformed
        streams = {"train": self._text if self._train else self._own_text, "test": self._gold}
        if not self._train:  # all there is, is read and tested
            streams["val"] = self._own_text
        self._splits = Splits(self.name, streams, "pair", val_size, 0, split_seed)

    def fingerprint(self) -> str:
        paths = [self._file("src-tgt"), self._file("gold"), *map(self._named, self._train)]
        return content_hash({"corpus": self.name, "selection": self._selection}, paths)

    def read(self, split: str) -> Iterator[Pair]:
        require_split(self, split)
        if self._train and (split != "train" or not self._own):
            return super().read(split)
        if split == "test":
            return deliver(self._gold(self.report, split), self.report, split, self.name)
        more = self._splits.read(split, self.report) if self._train else iter(())
        return deliver(chain(self._own_text(self.report, split), more), self.report, split, self.name)

    def _own_text(self, report: Report, split: str) -> Iterator[Pair]:
        return (pair._replace(alignment=None) for pair in self._gold(report, split))

    def _gold(self, report: Report, split: str) -> Iterator[Pair]:
        texts, links = self._file("src-tgt"), self._file("gold")
        there = [sum(1 for _ in lines(path)) for path in (texts, links)]
        if there[0] != there[1]:
            raise DataError(f"{links}: {there[1]} lines of links for {there[0]} lines of text; expected as many")
        for number, (text, line) in enumerate(zip(lines(texts), lines(links), strict=True), 1):
            said, fault = parted(self._cased(text.decode("utf-8", "replace").rstrip("\r\n")))
            if said is None:
                raise DataError(f"{texts}:{number}: {fault or 'an empty line'}")
            pair = Pair(" ".join(words_of(said.source)), " ".join(words_of(said.target)))
            alignment = alignment_of(line, pair, self._source.base, f"{links}:{number}")
            yield turned_pair(pair, alignment) if self._turned else pair._replace(alignment=alignment)

    def _text(self, report: Report, split: str) -> Iterator[Pair]:
        first, second = map(self._named, self._train)
        made = [worded(language, self._tokenize) for language in self._source.languages]
        for number, pair in enumerate(aligned(first, second, Faults(self._malformed, report, split)), 1):
            sides = [self._cased(make(side)) for make, side in zip(made, pair.texts, strict=True)]
            if self._most is not None and max(len(words_of(side)) for side in sides) > self._most:
                report.skip(split, f"more than {self._most} words", f"pair {number}")
            elif all(sides):
                source, target = sides[::-1] if self._turned else sides
                yield Pair(source, target)

    def _cased(self, text: str) -> str:
        return text.lower() if self._lowercase else text

    def _named(self, name: str) -> Path:
        return named_file(name, self._root)

    def _file(self, kind: str) -> Path:
        folder, name = self._root / self.name, f"{self._pair}.{kind}"
        found = find(folder, name)
        if found is None:
            raise DataError(
                f"missing file {folder.absolute() / name}[.gz]: a line a pair, SOURCE ||| TARGET in .src-tgt and links "
                "in .gold; put it there, or set paths.data (variable ATTNLAB_DATA) to the folder that holds "
                "word_alignment/"
            )
        return found


def turned_pair(pair: Pair, alignment: Alignment) -> Pair:
    """The other direction."""
    sure, possible = (tuple((t, s) for s, t in links) for links in (alignment.sure, alignment.possible))
    return Pair(pair.target, pair.source, Alignment(alignment.target_words, alignment.source_words, sure, possible))


def worded(language: str, tokenize: str) -> Callable[[str], str]:
    """Parts marks from words by blanks."""
    if tokenize == "none":
        return str
    from sacremoses import MosesTokenizer

    return partial(MosesTokenizer(language).tokenize, return_str=True, escape=False)
