"""Files as people have them: compressed, from Windows, cut off, half decoded."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from attnlab.data.corpora.multi30k import Multi30k
from attnlab.data.corpus import Pair, Report, require_split
from attnlab.data.files import lines
from attnlab.data.reading import Faults, aligned, content_hash, deliver, find, tabbed
from attnlab.data.text import clean
from attnlab.types import DataError


def texts(pairs):
    return [(pair.source, pair.target) for pair in pairs]


def skip(report, split="train"):
    return Faults("skip", report, split)


STOP = Faults("error", Report(), "train")


@pytest.fixture
def write(tmp_path):
    def write(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ça\u00a0alors\u202f!", "Ça alors !"),
        ("cafe\u0301", "café"),
        ("\ufeffHallo ", "Hallo"),
        ("\u00a0 x \t", "x"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("\u3000全角\u3000", "全角"),
    ],
)
def test_text_is_cleaned(raw, expected):
    assert clean(raw) == expected


def test_only_newlines_end_a_line(write):
    path = write("a.txt", "one\u2028still one\x0cstill\x85one\r\ntwo\rstill two\nthree")
    assert [line.decode() for line in lines(path)] == [
        "one\u2028still one\x0cstill\x85one",
        "two\rstill two",
        "three",
    ]


def test_windows_files_with_a_byte_order_mark(write):
    source, target = (
        write("a", b"\xef\xbb\xbfHello\r\nBye\r\n"),
        write("b", b"\xef\xbb\xbfHallo\r\nTsch\xc3\xbcss\r\n"),
    )
    assert texts(aligned(source, target, STOP)) == [("Hello", "Hallo"), ("Bye", "Tschüss")]


def test_gzip_is_told_by_content(write):
    packed = write("packed.txt", gzip.compress(b"a\nb\n"))
    plain = write("plain.gz", b"A\nB\n")
    assert texts(aligned(packed, plain, STOP)) == [("a", "A"), ("b", "B")]


def test_find_takes_plain_before_gzip(tmp_path, write):
    assert find(tmp_path, "a.en") is None
    packed = write("a.en.gz", gzip.compress(b"x\n"))
    assert find(tmp_path, "a.en") == packed
    plain = write("a.en", b"x\n")
    assert find(tmp_path, "a.en") == plain


@pytest.mark.parametrize("malformed", ["skip", "error"])
@pytest.mark.parametrize("shorter", ["source", "target"])
def test_unequal_line_counts_are_an_error_in_either_order(write, malformed, shorter):
    short, long = write("short", "a\nb\n"), write("long", "a\nb\nc\nd\n")
    files = (short, long) if shorter == "source" else (long, short)
    with pytest.raises(DataError, match=r"short: 2 lines, but .*long has 4"):
        list(aligned(*files, Faults(malformed, Report(), "train")))


@pytest.mark.parametrize("empty", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_an_error(write, empty):
    with pytest.raises(DataError, match="nothing: the file is empty"):
        list(lines(write("nothing", empty)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.en: no such file"):
        list(lines(tmp_path / "gone.en"))


def test_a_truncated_gzip_file_is_an_error_with_its_line(write):
    whole = gzip.compress("\n".join(hashlib.sha256(bytes([i])).hexdigest() for i in range(200)).encode())
    with pytest.raises(DataError, match=r"cut\.gz:\d+: cannot be read on"):
        list(lines(write("cut.gz", whole[: len(whole) // 2])))


FAULTY_SOURCE = b"one\n\xff\xfe broken\n\nfour\nfive\n"
FAULTY_TARGET = "eins\nzwei\ndrei\n \u00a0 \nfünf\n"


def test_malformed_lines_are_skipped_with_a_count(write):
    report = Report()
    source, target = write("a.en", FAULTY_SOURCE), write("a.de", FAULTY_TARGET)
    assert texts(aligned(source, target, skip(report))) == [("one", "eins"), ("five", "fünf")]
    assert report.skipped["train"] == {"invalid UTF-8": 1, "empty side": 2}
    assert report.lines() == [
        f"train: 1 skipped: invalid UTF-8 (first: {source}:2)",
        f"train: 2 skipped: empty side (first: {source}:3)",
    ]


@pytest.mark.parametrize(
    ("source", "target", "where", "reason"),
    [
        (FAULTY_SOURCE, FAULTY_TARGET, "a.en:2", "invalid UTF-8"),
        ("a\nb\n", "A\n\t\n", "a.de:2", "empty side"),
    ],
)
def test_malformed_lines_are_errors_where_asked_for(write, source, target, where, reason):
    with pytest.raises(DataError, match=f"{where}: {reason}; mend the line, or set malformed=skip"):
        list(aligned(write("a.en", source), write("a.de", target), STOP))


TSV = b"Hi.\tHallo!\tCC-BY 2.0\nno tab here\nRun.\t\n\tLauf!\nBad\t\xc3\x28\nGo.\tGeh.\n"


def test_tab_separated_faults(write):
    report = Report()
    path = write("deu.txt", TSV)
    assert texts(tabbed(path, (0, 1), skip(report))) == [("Hi.", "Hallo!"), ("Go.", "Geh.")]
    assert report.skipped["train"] == {"no tab": 1, "empty side": 2, "invalid UTF-8": 1}
    assert f"no tab (first: {path}:2)" in str(report)
    with pytest.raises(DataError, match=r"deu\.txt:2: no tab"):
        list(tabbed(path, (0, 1), STOP))


def test_tab_separated_columns_header_and_quotes(write):
    path = write("x.tsv", 'id\ten\tde\n1\t"a\t"A\n2\tb\n')
    report = Report()
    assert texts(tabbed(path, (2, 1), skip(report), header=True)) == [('"A', '"a')]
    assert report.skipped["train"] == {"2 columns, too few": 1}


def test_delivering_nothing_is_an_error_that_says_why():
    report = Report()

    def nothing():
        report.skip("val", "no tab", "x.tsv:1")
        yield from ()

    with pytest.raises(DataError, match=r"mine: split 'val' has no sentence pair: val: 1 skipped: no tab \(first: x"):
        list(deliver(nothing(), report, "val", "mine"))


def test_reading_twice_counts_once():
    report = Report()
    for _ in range(2):
        assert len(list(deliver([Pair("a", "b")] * 3, report, "train", "mine"))) == 3
        report.skip("train", "no tab")
    assert report.pairs == {"train": 3}
    assert report.total("train") == report.total() == 1


def test_an_unknown_split_names_the_nearest(tmp_path):
    with pytest.raises(
        DataError, match=r"multi30k has no split 'tets' \(did you mean 'test'\?\); it has train, val, test"
    ):
        require_split(Multi30k(str(tmp_path), download=False), "tets")


def test_the_content_hash_follows_settings_and_content(write):
    one, other = write("one", "a\n"), write("other", "b\n")
    hashes = {
        content_hash({"x": 1}, [one]),
        content_hash({"x": 2}, [one]),
        content_hash({"x": 1}, [other]),
        content_hash({"x": 1}, [one, other]),
        content_hash({"x": 1}, [other, one]),
    }
    assert len(hashes) == 5
    assert content_hash({"x": 1}, [one]) == content_hash(json.loads('{"x": 1}'), [write("copy", "a\n")])
