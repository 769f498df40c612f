"""What BPE and unigram pieces share: the Hugging Face ``tokenizers`` library, and a blank that comes back.

A line is cut before each run of letters, each digit and each run of marks. A blank is written ``▁`` and
belongs to the piece behind it, so that joining the pieces gives the plain text back exactly (only the
character ``▁`` itself comes back as a blank). Every character of the training split has a piece; others
become UNK.
"""

import json
import os
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from attnlab.data.tokenizers.base import INVISIBLE, Copy, Saved, Token, check_ids, require_specials
from attnlab.data.tokenizers.word import Word
from attnlab.data.vocabulary import check_limits
from attnlab.environment import variable
from attnlab.errors import ConfigError, DataError
from attnlab.symbols import SPECIALS, UNK

_NONE = Copy(SPECIALS[UNK], SPECIALS[UNK])
BLANK = "▁"
SELDOM = "\U0010ffff"  # no character, so no piece of any corpus
_PARALLELISM = "TOKENIZERS_PARALLELISM"
_CUT = rf"{BLANK}?(?:[\p{{L}}\p{{M}}]+|\p{{N}}|[^{BLANK}\p{{L}}\p{{M}}\p{{N}}]+)"


class Subword(Saved):
    """A vocabulary of frequent character sequences, learnt from the training split.

    Args:
        language: ISO 639-1 code; kept for the record, the pieces do not depend on it.
        lowercase: read and write lower case.
        vocab_size: entries in all, special symbols included; a small corpus may give fewer.
        fit_lines: lines of a side to learn from at most, evenly spread over the training split; None: all. More
            change the pieces little, and learning holds every different word of them in memory.
    """

    libraries = ("tokenizers",)

    def __init__(self, language: str, lowercase: bool, vocab_size: int, fit_lines: int | None) -> None:
        super().__init__(language, lowercase)
        check_limits(vocab_size, 1)
        if fit_lines is not None and fit_lines < 1:
            raise ConfigError(f"fit_lines={fit_lines}: expected 1 or more, or null for all lines")
        self.vocab_size = vocab_size
        self.fit_lines = fit_lines
        self._model: Any = None

    @abstractmethod
    def untrained(self) -> tuple[Any, Any]:
        """The library's ``(model, trainer)``."""

    def canonical(self, model: dict[str, Any]) -> dict[str, Any]:
        """A trained model (as JSON) without what differs between two trainings on the same text."""
        return model

    def fit(self, lines: Iterable[str]) -> None:
        """Learn the pieces.

        Raises:
            DataError: the text gives no pieces.
        """
        library = _library()
        model, trainer = self.untrained()
        learner = library.Tokenizer(model)
        if self.lowercase:
            learner.normalizer = library.normalizers.Lowercase()
        metaspace = library.pre_tokenizers.Metaspace(BLANK, prepend_scheme="always", split=False)
        cut = library.pre_tokenizers.Split(library.Regex(_CUT), "isolated")
        learner.pre_tokenizer = library.pre_tokenizers.Sequence([metaspace, cut])
        try:
            with variable(_PARALLELISM, "true"):  # learning takes whole batches of lines: the library's threads gain
                learner.train_from_iterator(lines, trainer)
        except Exception as error:  # the library raises bare Exception
            raise DataError(f"no subwords could be learnt from the training split: {error}") from error
        state = json.loads(learner.to_str())
        # As "added tokens" the special symbols would be found in raw text: "<s>" in a line would become BOS.
        state["added_tokens"] = []
        state["model"] = self.canonical(state["model"])
        self.restore(state)

    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line; the place of a piece leaves out the blank before it."""
        encoding = self._fitted.encode(line)
        tokens = []
        for number, (begin, end) in zip(encoding.ids, encoding.offsets, strict=True):
            raw = line[begin:end].lstrip()
            if self._pieces[number] == BLANK:  # before the line the library gives it the first character's place
                tokens.append(Token(BLANK, begin, begin))
            else:
                tokens.append(Token(raw if number == UNK else self._pieces[number], end - len(raw), end))
        return tokens

    def encode(self, line: str) -> list[int]:
        """Ids of the pieces."""
        return self._fitted.encode(line).ids  # type: ignore[no-any-return]

    def words(self, line: str) -> list[str]:
        """The runs of characters that are cut into pieces each by itself, as the library's model reads them."""
        library = self._fitted
        line = library.normalizer.normalize_str(line) if library.normalizer else line
        return [word for word, _ in library.pre_tokenizer.pre_tokenize_str(line)]

    def copies(self, line: str) -> list[Copy]:
        """The words that the pieces are parts of: as ``tokenizer=word`` cuts the line."""
        words, raw = Word(self.language).tokenize(line), line.lower() if self.lowercase else line
        raw = raw if len(raw) == len(line) else line  # lower case may be longer
        found = []
        for _, start, end in self.tokenize(line):
            whole = [word for word in words if word.start < max(end, start + 1) and word.end > start]
            first, last = (whole[0].start, whole[-1].end) if whole else (start, end)
            found.append(Copy(raw[first:last], raw[start:end]))
        return found

    def decode(self, ids: Sequence[int], copies: Sequence[Copy] = ()) -> str:
        """Plain text: the pieces in a row, ``▁`` read as a blank.

        Unknown pieces in a row are one gap. Where it stands for whole words, the source's words fill it, each once;
        within a word the source's pieces do.
        """
        check_ids(ids, len(self))
        shown = [number for number in ids if number not in INVISIBLE]
        runs = [(gap, list(run)) for gap, run in groupby(shown, lambda number: number == UNK and bool(copies))]
        unknown, parts = iter(copies), list[str]()
        for place, (gap, numbers) in enumerate(runs):
            if gap:
                behind = self._pieces[runs[place + 1][1][0]] if place + 1 < len(runs) else ""
                parts.append(fill([next(unknown, _NONE) for _ in numbers], parts[-1] if parts else "", behind))
            else:
                parts.append("".join(self._pieces[number] for number in numbers).replace(BLANK, " "))
        return "".join(parts).removeprefix(" ")

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces, ``▁`` where a blank stands."""
        return [self._pieces[number] for number in ids]

    @property
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "language": self.language,
            "lowercase": self.lowercase,
            "vocab_size": self.vocab_size,
            "fit_lines": self.fit_lines,
        }

    def state(self) -> Any:
        """The library's own description."""
        return json.loads(self._fitted.to_str())

    def restore(self, state: Any) -> None:
        """Take over a trained model.

        Raises:
            DataError: it is none.
        """
        try:
            self._model = _library().Tokenizer.from_str(json.dumps(state))
            self._model.encode(SELDOM)  # a model without an unknown piece is none until it needs that
        except Exception as error:  # the library raises bare Exception
            raise DataError(f"no subwords of the tokenizers library: {error}") from error
        size = self._model.get_vocab_size()
        self._pieces = [self._model.id_to_token(number) for number in range(size)]
        require_specials(self._pieces)
        if None in self._pieces:
            raise DataError("its vocabulary has no piece for some of the ids")

    @property
    def _fitted(self) -> Any:
        if self._model is None:
            raise DataError("this tokenizer has no vocabulary yet; call fit, or load a saved one")
        return self._model

    def __len__(self) -> int:
        return len(SPECIALS) if self._model is None else len(self._pieces)


def fill(copies: list[Copy], before: str, behind: str) -> str:
    """What stands in a gap between two texts."""
    if before[-1:].isalnum() or behind[:1].isalnum():
        return "".join(copy.piece for copy in copies)
    return " ".join(dict.fromkeys(copy.word for copy in copies))


def _library() -> Any:
    # Lines are encoded one by one: the library's threads gain nothing, and would warn when a loader forks.
    os.environ.setdefault(_PARALLELISM, "false")
    import tokenizers

    return tokenizers
