"""Words that remember where they were joined, so that plain text comes back exactly.

A detokenizer that guesses by rule cannot know whether ``"`` opened or closed, whether ``-`` stood between
blanks, or that a corpus writes ``don 't``. Here the answer is part of the vocabulary entry, as with the
joiner of the OpenNMT tokenizer (Klein et al. 2017): two pieces that touched in the raw text are marked with
``￭``. The mark stands on the punctuation side where there is one (``him.`` is cut into ``him`` and
``￭.``), so that a word keeps one entry. In scripts that are written without blanks touching is the rule:
there the exception, a blank, is marked, with ``▁`` before the right piece.

White space of any kind and length comes back as one blank, the characters ``￭`` and ``▁`` as ``■`` and ``_``.
"""

from collections.abc import Sequence
from typing import Any

from attnlab.data.tokenizers.base import INVISIBLE, Copy, Counted, Token, check_ids
from attnlab.symbols import SPECIALS, UNK

JOIN, BLANK = "￭", "▁"
_ESCAPE = str.maketrans({JOIN: "■", BLANK: "_"})

#: Scripts without blanks between words, as a character class: Han, kana, bopomofo, their marks, full width.
UNSPACED = (
    "\u2e80-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff65\uff66-\uff9f\U00020000-\U0003ffff"
)
_RANGES = [(part[0], part[-1]) for part in (UNSPACED[i : i + 3] for i in range(0, len(UNSPACED), 3))]
_FIRST = _RANGES[0][0]


def unspaced(character: str) -> bool:
    """Whether the character belongs to a script that puts no blanks between words."""
    return character >= _FIRST and any(first <= character <= last for first, last in _RANGES)


class Joined(Counted):
    """Cuts a line into words and marks by rule; entries carry the joins."""

    def entries_of(self, tokens: Sequence[Token]) -> list[str]:
        """Texts of the pieces with join marks."""
        before, after = [""] * len(tokens), [""] * len(tokens)
        for i in range(1, len(tokens)):
            left, right = tokens[i - 1], tokens[i]
            touching = left.end == right.start
            if touching == _touch_by_rule(left.text[-1], right.text[0]):
                continue
            if touching and _is_word(right.text) and not _is_word(left.text):
                after[i - 1] = JOIN
            else:
                before[i] = JOIN if touching else BLANK
        return [b + token.text.translate(_ESCAPE) + a for b, token, a in zip(before, tokens, after, strict=True)]

    def number(self, entries: Sequence[str]) -> list[int]:
        """Ids of entries; one never seen with these joins takes its most frequent other form."""
        ids = self.vocabulary.encode(entries)
        if UNK in ids:
            ids = [
                self._bare.get(bare(entry), UNK) if number == UNK else number
                for number, entry in zip(ids, entries, strict=True)
            ]
        return ids

    def decode(self, ids: Sequence[int], copies: Sequence[Copy] = ()) -> str:
        """Plain text: pieces put together as their joins say."""
        check_ids(ids, len(self))
        text = ""
        glue = True
        unknown = iter(copies)
        for number, known in zip(ids, self.vocabulary.decode(ids), strict=True):
            if number in INVISIBLE:
                continue
            copy = next(unknown, None) if number == UNK else None
            entry, piece = (known, bare(known)) if copy is None else ("", copy.word)
            if not (glue or entry.startswith(JOIN)) and (
                entry.startswith(BLANK) or not _touch_by_rule(text[-1], piece[0])
            ):
                text += " "
            text += piece
            glue = entry.endswith(JOIN)
        return text

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces without their join marks."""
        return [bare(entry) for entry in super().tokens(ids)]

    def restore(self, state: Any) -> None:
        """Take over the entries; the commonest stand first, so the first form of a text is its commonest."""
        super().restore(state)
        self._bare: dict[str, int] = {}
        for number, entry in enumerate(self.vocabulary.entries):
            if number >= len(SPECIALS):
                self._bare.setdefault(bare(entry), number)


def bare(entry: str) -> str:
    """The text of an entry without its marks."""
    return entry.removeprefix(JOIN).removeprefix(BLANK).removesuffix(JOIN)


def _touch_by_rule(left: str, right: str) -> bool:
    """Whether pieces that end and begin so are written without a blank when nothing is marked."""
    return unspaced(left) or unspaced(right)


def _is_word(text: str) -> bool:
    return text[0].isalnum() or any(character.isalnum() for character in text)
