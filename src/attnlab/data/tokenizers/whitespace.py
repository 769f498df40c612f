"""The pieces between blanks, as they stand: for text that is tokenised already."""

import re
from collections.abc import Sequence

from attnlab.data.tokenizers.base import INVISIBLE, Copy, Counted, Token, check_ids
from attnlab.symbols import UNK

_PATTERN = re.compile(r"\S+")


class Whitespace(Counted):
    """Words as the text parts them."""

    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line with their place in it."""
        return [Token(self.fold(match.group()), match.start(), match.end()) for match in _PATTERN.finditer(line)]

    def decode(self, ids: Sequence[int], copies: Sequence[Copy] = ()) -> str:
        """The pieces with a blank between them; an unknown one reads as its copy."""
        check_ids(ids, len(self))
        unknown = iter(copies)
        texts = []
        for number in ids:
            copy = next(unknown, None) if number == UNK else None
            if number not in INVISIBLE:
                texts.append(self.vocabulary.entries[number] if copy is None else copy.word)
        return " ".join(texts)
