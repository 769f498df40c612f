r"""What counts as text: one rule for corpora, evaluation data and what is translated.

Text is NFC, with plain blanks and without a byte order mark. A side that shows nothing is empty: white space, control
and format characters (Unicode categories Zs, Zl, Zp, Cc, Cf, Cs), the default-ignorable code points of the Unicode
Character Database (DerivedCoreProperties.txt: soft hyphen, zero-width and bidirectional marks, Hangul fillers,
variation selectors, tags), noncharacters and the blank Braille pattern. Within a text that shows something they stay:
a zero-width joiner spells Persian words, a variation selector chooses an emoji.
"""

from typing import NamedTuple
from unicodedata import category, normalize

NUL = "\0"
EMPTY, WITH_NUL, INVALID = "empty side", "a NUL character", "invalid UTF-8"  #: what may be wrong with a side

_BLANK = "\u00a0\u202f\u2028\u2029" + "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))  # every control character
_PLAIN = str.maketrans(dict.fromkeys(_BLANK, " ") | {"\ufeff": None})
_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Cs"))
_IGNORABLE = (
    ("\u034f", "\u034f"),
    ("\u115f", "\u1160"),
    ("\u17b4", "\u17b5"),
    ("\u180b", "\u180f"),
    ("\u2060", "\u206f"),
    ("\u2800", "\u2800"),  # the blank Braille pattern
    ("\u3164", "\u3164"),
    ("\ufdd0", "\ufdef"),  # noncharacters
    ("\ufe00", "\ufe0f"),
    ("\uffa0", "\uffa0"),
    ("\ufff0", "\ufff8"),
    ("\U000e0000", "\U000e0fff"),
)


class Field(NamedTuple):
    """One side of a pair, cleaned, or what is wrong with it."""

    text: str
    fault: str


def plain(text: str) -> str:
    """NFC, plain blanks for no-break spaces, controls and line ends."""
    return normalize("NFC", text.translate(_PLAIN))


def clean(text: str) -> str:
    """The same, with no blank at either end; "" if nothing shows."""
    found = plain(text).strip()
    return found if visible(found) else ""


def visible(text: str) -> bool:
    """Whether any character of a text shows."""
    return any(map(_shown, text))


def _shown(character: str) -> bool:
    if category(character) in _UNSEEN or ord(character) & 0xFFFE == 0xFFFE:  # the last two of a plane are no characters
        return False
    return not any(first <= character <= last for first, last in _IGNORABLE)


def field(text: str) -> Field:
    """Clean one side of a pair."""
    cleaned = clean(text)
    if not cleaned:
        return Field("", EMPTY)
    return Field("", WITH_NUL) if NUL in text else Field(cleaned, "")


def decoded(raw: bytes) -> str | None:
    """UTF-8; None where it is none."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def parse(raw: bytes) -> Field:
    """Decode and clean one side of a pair."""
    text = decoded(raw)
    return Field("", INVALID) if text is None else field(text)
