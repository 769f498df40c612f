"""What a tokenizer is, and the part that all of them share: settings, state and one JSON file."""

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from attnlab.data.vocabulary import Vocabulary, check_limits
from attnlab.errors import DataError
from attnlab.ranges import Entries, OneOrMore
from attnlab.symbols import BOS, EOS, PAD, SPECIALS

INVISIBLE = frozenset((PAD, BOS, EOS))  #: ids that stand for no text


class Token(NamedTuple):
    """A piece of a line."""

    text: str
    start: int  #: characters ``start`` to ``end`` of the raw line
    end: int


class Copy(NamedTuple):
    """What may be copied from a piece of the source over an unknown one."""

    word: str  #: the word of the raw line that the piece is part of
    piece: str  #: the piece itself, as the raw line has it


@runtime_checkable
class Tokenizer(Protocol):
    """Plain text to ids and back."""

    lowercase: bool
    fit_lines: int | None  #: ``fit`` wants so many lines at most, evenly spread over the split; None wants all

    def check(self) -> None:
        """Find out now whether the pieces can be made here, not after a corpus was read.

        Raises:
            attnlab.types.ConfigError: they cannot; what to use instead.
        """
        ...

    def fit(self, lines: Iterable[str]) -> None:
        """Make the vocabulary from the lines of a training split."""
        ...

    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line, one for each id of ``encode``, with their place in the raw text."""
        ...

    def encode(self, line: str) -> list[int]:
        """Ids without BOS and EOS; UNK where a piece is unknown."""
        ...

    def copies(self, line: str) -> list[Copy]:
        """What each piece of ``tokenize`` may be copied as."""
        ...

    def decode(self, ids: Sequence[int], copies: Sequence[Copy] = ()) -> str:
        """Plain text; PAD, BOS and EOS are passed over, each UNK reads as its copy, ``<unk>`` where there is none."""
        ...

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Readable pieces, one for each id, for plots and tables."""
        ...

    def __len__(self) -> int:
        """Size of the vocabulary, the four special symbols included."""
        ...

    def signature(self) -> dict[str, Any]:
        """Every setting and library version that decides the ids."""
        ...

    def save(self, path: Path) -> None:
        """Write everything into one JSON file; ``attnlab.data.tokenizers.load.load`` reads it."""
        ...


class Saved(ABC):
    """Saving and naming: a tokenizer is its module's name, its constructor's arguments and its state."""

    libraries: ClassVar[tuple[str, ...]] = ()  #: packages whose version decides the pieces
    fit_lines: int | None = None

    def __init__(self, language: str, lowercase: bool) -> None:
        self.language = language
        self.lowercase = lowercase

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""

    def check(self) -> None:  # noqa: B027  (most tokenizers work everywhere)
        """Nothing can be missing."""

    @abstractmethod
    def state(self) -> Any:
        """What ``fit`` made, as JSON values."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Take over what ``state`` gave."""

    def signature(self) -> dict[str, Any]:
        """Every setting and library version that decides the ids."""
        name = type(self).__module__.rpartition(".")[2]
        versions = {library: version(library) for library in self.libraries}
        return {"tokenizer": name, "settings": self.settings, "libraries": versions}

    def save(self, path: Path) -> None:
        """Write everything into one JSON file."""
        text = json.dumps({**self.signature(), "state": self.state()}, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")


class Counted(Saved):
    """A tokenizer that cuts a line by rule and counts the pieces of the training split into a vocabulary.

    Args:
        language: ISO 639-1 code.
        lowercase: look words up, and write them, in lower case.
        max_size: entries of the vocabulary, special symbols included; ``None`` for no limit.
        min_frequency: pieces seen less often in the training split become UNK.
    """

    def __init__(
        self, language: str, lowercase: bool = False, max_size: Entries | None = None, min_frequency: OneOrMore = 1
    ) -> None:
        super().__init__(language, lowercase)
        check_limits(max_size, min_frequency)
        self.max_size = max_size
        self.min_frequency = min_frequency
        self.vocabulary = Vocabulary(())

    @abstractmethod
    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line with their place in it."""

    def copies(self, line: str) -> list[Copy]:
        """The pieces: they are the words."""
        return [Copy(token.text, token.text) for token in self.tokenize(line)]

    def entries(self, line: str) -> list[str]:
        """The vocabulary entry of each piece."""
        return self.entries_of(self.tokenize(line))

    def entries_of(self, tokens: Sequence[Token]) -> list[str]:
        """The vocabulary entry of each of a line's pieces."""
        return [token.text for token in tokens]

    def fit(self, lines: Iterable[str]) -> None:
        """Count the entries of the training split."""
        self.learn(self.count(lines))

    def count(self, lines: Iterable[str]) -> Counter[str]:
        """How often each entry occurs; counts of parts of a text add up to those of the text."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(self.entries(line))
        return counts

    def learn(self, counts: Counter[str]) -> None:
        """Make the vocabulary from the counts of the training split."""
        self.restore(Vocabulary.count(counts, self.max_size, self.min_frequency).entries)

    def encode(self, line: str) -> list[int]:
        """Ids of the pieces, UNK where unknown."""
        return self.number(self.entries(line))

    def number(self, entries: Sequence[str]) -> list[int]:
        """Ids of entries, UNK where unknown."""
        return self.vocabulary.encode(entries)

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Readable pieces."""
        return self.vocabulary.decode(ids)

    def fold(self, text: str) -> str:
        """Lower case where that is asked for; piece by piece, since it may change the length of a text."""
        return text.lower() if self.lowercase else text

    @property
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "language": self.language,
            "lowercase": self.lowercase,
            "max_size": self.max_size,
            "min_frequency": self.min_frequency,
        }

    def state(self) -> list[str]:
        """All entries in the order of their ids."""
        return self.vocabulary.entries

    def restore(self, state: Any) -> None:
        """Take over the entries.

        Raises:
            DataError: they are no vocabulary.
        """
        if not isinstance(state, list) or not all(isinstance(entry, str) for entry in state):
            raise DataError("its state is no list of texts")
        require_specials(state)
        own = state[len(SPECIALS) :]
        if len(set(own)) < len(own):
            raise DataError("its vocabulary has an entry twice")
        self.vocabulary = Vocabulary(own)

    def __len__(self) -> int:
        return len(self.vocabulary)


def require_specials(entries: Sequence[str | None]) -> None:
    """Raise DataError where the first entries are not the special symbols, which have the first ids."""
    if tuple(entries[: len(SPECIALS)]) != tuple(SPECIALS):
        raise DataError(f"its vocabulary does not begin with {', '.join(SPECIALS)}")


def check_ids(ids: Sequence[int], size: int) -> None:
    """Refuse ids that no vocabulary entry has.

    Raises:
        DataError: an id is negative, or not below ``size``.
    """
    wrong = [number for number in ids if not 0 <= number < size]
    if wrong:
        raise DataError(f"id {wrong[0]} is outside the vocabulary of {size} entries; is this the right tokenizer?")
