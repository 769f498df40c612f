"""Plain words by one regular expression: words, numbers, marks."""

import re

from attnlab.data.tokenizers.base import Token
from attnlab.data.tokenizers.joined import UNSPACED, Joined

# Vowel signs and accents that Python's \w leaves out, and the joiners inside Indic and Persian words.
_SIGNS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0963\u0970-\u0dff\u0e31-\u0e4e\u200c\u200d"
_LETTER = rf"[^\W{UNSPACED}]"
_LETTERS = rf"{_LETTER}+(?:[{_SIGNS}]+{_LETTER}*)*"
_PATTERN = re.compile(
    rf"\d+(?:[.,:]\d+)+(?!{_LETTER})"  # 3,5 and 1.000.000 and 10:30
    rf"|{_LETTERS}(?:['’\-]{_LETTERS})*"  # house, don't, T-Shirt, 20-jährige
    rf"|(?=[{UNSPACED}])\w"  # a character of an unspaced script stands alone
    r"|([^\w\s])\1*"  # a mark, or the same mark repeated: ... and --
)


class Word(Joined):
    """Words with their inner apostrophes and hyphens, numbers, and marks, each a piece; CJK by character."""

    def tokenize(self, line: str) -> list[Token]:
        """The pieces of a line with their place in it."""
        return [Token(self.fold(match.group()), match.start(), match.end()) for match in _PATTERN.finditer(line)]
