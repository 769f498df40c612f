"""What counts as text, against the Unicode Character Database as Python and ICU-free lists have it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlab.data.text import Field, clean, field, parse, visible

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt (Unicode 15.1), in full.
DEFAULT_IGNORABLE = (
    "00AD 034F 061C 115F-1160 17B4-17B5 180B-180D 180E 180F 200B-200F 202A-202E 2060-2064 2065 2066-206F 3164 "
    "FE00-FE0F FEFF FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
WHITE_SPACE = "0009-000D 0020 0085 00A0 1680 2000-200A 2028 2029 202F 205F 3000"  # White_Space of PropList.txt


def points(ranges):
    for part in ranges.split():
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


@pytest.mark.parametrize(
    "ranges", [DEFAULT_IGNORABLE, WHITE_SPACE, "0000-001F 007F-009F", "FDD0-FDEF FFFE-FFFF 10FFFE"]
)
def test_these_show_nothing(ranges):
    characters = "".join(map(chr, points(ranges)))
    assert not visible(characters)
    assert field(characters) == Field("", "empty side")
    assert all(clean(character) == "" for character in characters[:300])


def test_letters_digits_marks_and_symbols_show():
    shown = [chr(n) for n in range(0x21, sys.maxunicode + 1, 7) if unicodedata.category(chr(n))[0] in "LNPS"]
    hidden = {chr(n) for n in points(DEFAULT_IGNORABLE)} | {"\u2800"}
    assert len(shown) > 15_000
    assert [character for character in shown if character not in hidden and not visible(character)] == []


@pytest.mark.parametrize(
    "character",
    ["\u200b", "\u2060", "\u00ad", "\u200e", "\u200f", "\u202e", "\ufe0f", "\u3164", "\u115f", "\ufeff", "\0"],
)
def test_a_side_of_one_of_them_is_an_empty_side(character):
    for text in (character, character * 3, f" {character}\t{character} "):
        assert parse(text.encode()) == Field("", "empty side")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),  # a zero-width non-joiner spells it
        ("❤\ufe0f", "❤\ufe0f"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("Zucker\u00adbäcker", "Zucker\u00adbäcker"),
        ("a\x07b\x1b[0m\x7f", "a b [0m"),
        ("one\ttwo\rthree\u2028four\u0085five", "one two three four five"),
    ],
)  # fmt: skip
def test_within_a_text_what_spells_it_stays_and_controls_become_blanks(raw, text):
    assert parse(raw.encode()) == Field(text, "")


def test_a_nul_among_letters_is_a_fault():
    assert parse(b"a\0b") == Field("", "a NUL character")


@given(st.binary(max_size=40))
def test_any_bytes_are_a_text_or_a_fault(raw):
    found = parse(raw)
    assert bool(found.text) != bool(found.fault)
    assert found.fault in ("", "empty side", "invalid UTF-8", "a NUL character")
    assert not set(found.text) & {"\0", "\n", "\r", "\u2028", "\u2029", "\u0085", "\ufeff"}


@given(st.text(max_size=40))
def test_cleaning_is_done_once(text):
    once = clean(text)
    assert clean(once) == once
    assert once == once.strip()
    assert bool(once) == visible(text)
    assert unicodedata.is_normalized("NFC", once)
