"""Files in other encodings are told by how they begin; UTF-8 is let pass, whatever the language."""

import bz2
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnlab.data.encoding import SAMPLE, foreign

TEXTS = {
    "en": "the cat sees a dog .\n" * 20,
    "de": "die Katze hört ein Geräusch .\nein Vogel grüßt .\n" * 20,
    "ja": "猫は犬を見る。\n鳥が歌う。\n" * 20,
    "ru": "кошка видит собаку .\nптица поёт .\n" * 20,
    "ar": "القط يرى الكلب .\n" * 20,
    "one": "the cat sees a dog .",
    "windows": "the cat\r\nthe dog\r\n" * 20,
}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("language", TEXTS)
def test_wide_encodings(language, encoding):
    told = foreign(TEXTS[language].encode(encoding)[:SAMPLE])
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    assert f"this is {name} text, expected UTF-8: iconv -f {name} -t UTF-8" in told


NARROW = "de latin-1, de cp1252, ru koi8-r, ru cp1251, ja shift-jis, ja euc-jp, ar cp1256"


@pytest.mark.parametrize(("language", "encoding"), [case.split() for case in NARROW.split(", ")])
def test_narrow_encodings(language, encoding):
    assert "cannot be decoded" in foreign(TEXTS[language].encode(encoding))


def test_other_kinds_of_files():
    text = TEXTS["en"].encode()
    assert "bzip2 -d" in foreign(bz2.compress(text))
    assert "xz -d" in foreign(lzma.compress(text))
    assert "unzip" in foreign(b"PK\x03\x04" + text)
    assert "ISO-2022" in foreign(TEXTS["ja"].encode("iso2022_jp"))
    assert "64 of the first 64 bytes are NUL" in foreign(bytes(64))
    assert "CR alone" in foreign(text.replace(b"\n", b"\r"))


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf8_passes(language, mark):
    assert foreign((mark + TEXTS[language]).encode()) is None


BROKEN = [
    b"\0\n",
    b"\n\0",
    b"\0\0\0\n",
    b"",
    b"\n",
    b"a\r",
    b"\r\n",
    b"one\n\xff\xfe broken\n\nfour\n",
    b"a b\0c d e f g h i j\nnext line\n",
]


@pytest.mark.parametrize("sample", [*BROKEN, b"x" * SAMPLE])
def test_single_broken_lines_are_no_other_encoding(sample):
    assert foreign(sample) is None


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map(lambda text: text + "\n"))
def test_any_text_in_utf8_passes_even_where_it_is_cut(text):
    for end in range(max(0, len(text.encode()) - 4), len(text.encode()) + 1):
        told = foreign(text.encode()[:end])
        assert told is None or "this is no UTF-8" not in told


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(raw):
    told = foreign(raw)
    assert told is None or "\n" not in told
