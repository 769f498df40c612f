"""One piece a character, blanks included."""

from collections.abc import Sequence

from attnlab.data.tokenizers.base import INVISIBLE, Counted, Token, check_ids


class Char(Counted):
    """Characters; a character that lower-casing turns into two stays one piece."""

    def tokenize(self, line: str) -> list[Token]:
        """The characters of a line."""
        return [Token(self.fold(character), i, i + 1) for i, character in enumerate(line)]

    def decode(self, ids: Sequence[int]) -> str:
        """The characters in a row."""
        check_ids(ids, len(self))
        return "".join(self.vocabulary.decode([number for number in ids if number not in INVISIBLE]))

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The characters; a blank is shown as ``▁``."""
        return [entry.replace(" ", "▁") for entry in super().tokens(ids)]
