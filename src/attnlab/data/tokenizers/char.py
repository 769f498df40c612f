"""One piece a character, blanks included."""

from collections.abc import Sequence

from attnlab.data.tokenizers.base import INVISIBLE, Copy, Counted, Token, check_ids
from attnlab.symbols import UNK


class Char(Counted):
    """Characters; a character that lower-casing turns into two stays one piece."""

    def tokenize(self, line: str) -> list[Token]:
        """The characters of a line."""
        return [Token(self.fold(character), i, i + 1) for i, character in enumerate(line)]

    def decode(self, ids: Sequence[int], copies: Sequence[Copy] = ()) -> str:
        """The characters in a row."""
        check_ids(ids, len(self))
        entries, unknown = self.vocabulary.decode(ids), iter(copies)
        shown = ((number, entry) for number, entry in zip(ids, entries, strict=True) if number not in INVISIBLE)
        return "".join(next(unknown, Copy(entry, entry)).piece if number == UNK else entry for number, entry in shown)

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The characters; a blank is shown as ``▁``."""
        return [entry.replace(" ", "▁") for entry in super().tokens(ids)]
