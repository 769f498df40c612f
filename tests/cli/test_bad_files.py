"""Files and streams that are not what they should be: one line each, or a counted skip; never a traceback or a hang.

Each row says what is wrong, what the files hold, and which words the user reads. All run in this process: corpora are
read, and translate.py's own loop runs around a translator that only shouts.
"""

import bz2
import gzip
import io
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from attnlab.cli import streams, translating
from attnlab.cli.commands.translate import translate
from attnlab.cli.errors import report
from attnlab.cli.translator import TranslationResult, Translator
from attnlab.console import visible
from attnlab.data import files
from attnlab.data.corpora.parallel import Parallel
from attnlab.types import DataError

EN = "".join(f"the cat sees dog number {i} .\n" for i in range(20))
DE = "".join(f"die Katze hört Hund Nummer {i} .\n" for i in range(20))
TSV = "".join(f"{en}\t{de}\n" for en, de in zip(EN.splitlines(), DE.splitlines(), strict=True))
NULL = "embedded null byte" if sys.version_info < (3, 13) else "stat: embedded null character in path"  # Python's words


def replaced(text: str, number: int, line: str | bytes) -> bytes:
    rows = text.encode().split(b"\n")
    rows[number - 1] = line.encode() if isinstance(line, str) else line
    return b"\n".join(rows)


# What is wrong with the English file, what it holds, and what is told (a regular expression); the German one is right.
STOPS = [
    ("UTF-16 with a mark", EN.encode("utf-16"), r"a\.en: this is UTF-16 text, expected UTF-8: iconv -f UTF-16"),
    ("UTF-16LE", EN.encode("utf-16-le"), r"this is UTF-16LE text.*iconv -f UTF-16LE"),
    ("UTF-16BE", EN.encode("utf-16-be"), r"this is UTF-16BE text"),
    ("UTF-32 with a mark", EN.encode("utf-32"), r"this is UTF-32 text"),
    ("UTF-32BE", EN.encode("utf-32-be"), r"this is UTF-32BE text"),
    ("UTF-16 in a gzip file", gzip.compress(EN.encode("utf-16")), r"this is UTF-16 text"),
    ("Latin-1", DE.encode("latin-1"), r"this is no UTF-8: 20 of .*iconv -f ISO-8859-1"),
    ("Windows-1251", "кошка видит собаку\n".encode("cp1251") * 20, r"this is no UTF-8"),
    ("old Mac line ends", EN.replace("\n", "\r").encode(), r"lines end in CR alone.*tr '\\r' '\\n'"),
    ("zeros", bytes(5000), r"5000 of the first 5000 bytes are NUL"),
    ("a gzip file of zeros", gzip.compress(bytes(5_000_000)), r"bytes are NUL"),
    ("a bzip2 file", bz2.compress(EN.encode()), r"this is bzip2 \(bzip2 -d\)"),
    ("a zip file", b"PK\x03\x04rest", r"this is zip"),
    ("a PDF", b"%PDF-1.7\n", r"this is PDF"),
    ("nothing", b"", r"a\.en: the file is empty"),
    ("nothing, packed", gzip.compress(b""), r"the file is empty"),
    ("a gzip file that ends early", gzip.compress(os.urandom(99) + EN.encode())[:-30], r"a\.en:\d+: cannot be read on"),
    ("garbage behind a gzip file", gzip.compress(EN.encode()) + b"garbage", r"cannot be read on \(Not a gzipped"),
    ("a broken gzip file", gzip.compress(EN.encode())[:12] + b"\xff" * 50, r"cannot be read on"),
    ("a line less", EN.encode().partition(b"\n")[2], r"a\.en: 19 lines, but .*a\.de has 20"),
    ("a line more", EN.encode() + b"more\n", r"a\.de: 20 lines, but .*a\.en has 21"),
    ("only empty lines", b"\n" * 20, r"20 skipped: empty side|different ones.*20 skipped: empty side"),
    ("an endless line", EN.encode() + b"x" * 70_000, r"a\.en:21: the line has over 65536 bytes"),
    ("an endless line, packed", gzip.compress(EN.encode() + b"x" * 70_000), r"a\.en:21: the line has over 65536 bytes"),
    ("a gzip bomb", gzip.compress(b"a b c d e f\n" * 500_000), r"bytes unpack to over"),
]

# One line of the English file that is left out, or stops the run with its place.
SKIPS = [
    ("an empty line", "", "empty side"),
    ("blanks", " \t\u00a0\u3000", "empty side"),
    ("a zero-width space", "\u200b", "empty side"),
    ("a word joiner", "\u2060", "empty side"),
    ("a soft hyphen", "\u00ad", "empty side"),
    ("a left-to-right mark", "\u200e", "empty side"),
    ("bidirectional overrides", "\u202e\u2066\u2069", "empty side"),
    ("variation selectors", "\ufe0f\U000e0100", "empty side"),
    ("Hangul fillers", "\u115f\u3164\uffa0", "empty side"),
    ("NUL", "\0\0", "empty side"),
    ("controls", "\x07\x1b\x7f\x85", "empty side"),
    ("line and paragraph separators", "\u2028\u2029", "empty side"),
    ("noncharacters", "\uffff\ufdd0", "empty side"),
    ("a NUL among letters", "a\0b", "a NUL character"),
    ("a broken byte", b"caf\xe9", "invalid UTF-8"),
    ("a surrogate", b"\xed\xa0\x80", "invalid UTF-8"),
]


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch):
    monkeypatch.setattr(files, "LONGEST_LINE", 1 << 16)
    monkeypatch.setattr(files, "BOMB", 1 << 20)
    monkeypatch.setattr(files, "MOST_PASSED_OVER", 1 << 20)


def told(root: Path, english: bytes | None = None, **settings) -> str:
    """What the user reads when a corpus is read: the error, or what was left out."""
    (root / "a.de").write_text(DE, "utf-8")
    if english is not None:
        (root / "a.en").write_bytes(english)
    given = {"train": ["a.en", "a.de"], "val_size": 2, "test_size": 2} | settings
    corpus = Parallel(str(root), "en", "de", **given)
    try:
        corpus.fingerprint()
        for split in corpus.splits:
            assert all(pair.source and pair.target for pair in corpus.read(split))
    except DataError as error:
        message = f"stopped: {error}"
    else:
        return str(corpus.report)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("malformed", ["skip", "error"])
@pytest.mark.parametrize(("english", "words"), [row[1:] for row in STOPS], ids=[row[0] for row in STOPS])
def test_files_that_stop_a_run(tmp_path, english, words, malformed):
    message = told(tmp_path, english, malformed=malformed)
    assert message.startswith("stopped")
    if malformed == "skip" or "empty side" not in words:
        assert re.search(words, message), message


@pytest.mark.parametrize(("line", "reason"), [row[1:] for row in SKIPS], ids=[row[0] for row in SKIPS])
def test_lines_that_are_left_out_with_a_count_or_stop_a_run(tmp_path, line, reason):
    english = replaced(EN, 7, line)
    assert f"train: 1 skipped: {reason} (first: {tmp_path}/a.en:7)" in told(tmp_path, english)
    assert f"a.en:7: {reason}; mend the line" in told(tmp_path, english, malformed="error")
    table = replaced(TSV, 7, (line.encode() if isinstance(line, str) else line) + b"\tgut\n"[:-1])
    if b"\t" not in (line.encode() if isinstance(line, str) else line):
        (tmp_path / "t.tsv").write_bytes(table)
        assert f"1 skipped: {reason} (first: {tmp_path}/t.tsv:7)" in told(tmp_path, train="t.tsv")


@pytest.mark.parametrize(
    "inside",
    ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\r", "\x1c", "\x1d", "\x1e", "\ufeff", "\u200d", "\x00\u0085"],
)
def test_nothing_within_a_line_shifts_the_lines_behind_it(tmp_path, inside):
    (tmp_path / "a.en").write_bytes(replaced(EN, 3, f"the cat{inside}sees dog number 2 ."))
    (tmp_path / "a.de").write_text(DE, "utf-8")
    corpus = Parallel(str(tmp_path), "en", "de", train=["a.en", "a.de"], val_size=0, test_size=1)
    for pair in corpus.read("train"):
        assert re.findall(r"\d+", pair.source) == re.findall(r"\d+", pair.target)


def test_files_under_other_names(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    two = {name: ["a.en", name] for name in ("folder", "pipe", "/dev/zero", "gone", "x" * 300, "~nobody_here/x")}
    expected = {
        "folder": "folder: this is a folder, expected a file",
        "pipe": "pipe: this is a pipe or a device, and data are read more than once; save it: cat",
        "/dev/zero": "/dev/zero: this is a pipe or a device",
        "gone": "missing file .*gone",
        "x" * 300: "cannot be looked up .*too long",
        "~nobody_here/x": "cannot be looked up .*home",
    }
    for name, train in two.items():
        assert re.search(expected[name], told(tmp_path, EN.encode(), train=train)), name


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (EN, r"no line has a tab; one begins 'the cat sees dog number 0 .'. Expected SOURCE<tab>TARGET"),
        (TSV.replace("\t", ";"), r"no line has a tab; one begins 'the cat sees dog number 0 .;die"),
        (TSV.replace("\t", "    "), r"no line has a tab"),
    ],
)
def test_a_table_without_tabs(tmp_path, table, words):
    (tmp_path / "t.tsv").write_text(table, "utf-8")
    assert re.search(words, told(tmp_path, train="t.tsv"))
    assert re.search(r"t\.tsv:1: no tab", told(tmp_path, train="t.tsv", malformed="error"))
    (tmp_path / "t.tsv").write_text(TSV, "utf-8")
    assert "no line has column 5 (counted from 0)" in told(tmp_path, train="t.tsv", columns=[0, 5])


class Shout(Translator):
    """Stands for a trained run: translates into capitals, a word a token."""

    def __init__(self, longest=None):
        self.model = SimpleNamespace(has_weights=True, longest_source=longest)
        self.source = SimpleNamespace(encode=str.split)

    def __call__(self, lines):
        return [[TranslationResult(line.upper(), 0.0, 0.0, [], [], None)] if line else [] for line in lines]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Translate ``raw``; give the exit code, what was written to out.txt, and what was told."""
    monkeypatch.chdir(tmp_path)

    def run(raw=None, translator=None, **settings):
        monkeypatch.setattr(translating, "restore", lambda config: translator or Shout())
        if raw is not None:
            stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(raw)))
            monkeypatch.setattr(sys, "stdin", stdin)
        plain = {"input": None, "output": "out.txt", "nbest": 1, "format": "text", "chunk": 2}
        plain |= {"plot": None, "cmap": None, "wandb": False}
        search = {"n_best": settings.pop("n_best", 1), "beam": 5}
        config = OmegaConf.create(plain | {"max_source_length": 4, "search": search} | settings)
        code = 0
        try:
            translate(config)
        except Exception as error:
            code = report(error)
        written = Path(config.output or "out.txt")
        kept = None
        with suppress(OSError, ValueError):  # no name of a file
            kept = written.read_text("utf-8") if written.is_file() else None
        errors = capsys.readouterr().err
        assert "Traceback" not in errors
        return code, kept, errors

    return run


# What comes, what is written (None: nothing is), what is told.
STREAMS = [
    ("nothing", b"", "", ""),
    ("no line end", b"a b", "A B\n", ""),
    ("Windows line ends", b"a\r\nb\r\n", "A\nB\n", ""),
    ("a byte order mark", b"\xef\xbb\xbfa\n", "A\n", ""),
    ("empty and invisible lines", "a\n\n\u200b\u2060\n\0\n\u3164\nb\n".encode(), "A\n\n\n\n\nB\n", ""),
    ("line separators", "a\u2028b\x85c\n".encode(), "A B C\n", ""),
    ("gzip", gzip.compress(b"a\nb\n"), "A\nB\n", ""),
    ("a long line", b"a\n1 2 3 4 5\nb\n", "A\n\nB\n", "line 2: 5 tokens, over the 4 of max_source_length=4"),
    ("a line without end", b"a\n" + b"x" * 70_000 + b"\nb\n", "A\n\nB\n", "line 2: over 65536 bytes"),
    ("a broken byte", b"a\nb\n\xff\nc\n", None, "line 3: invalid UTF-8; expected UTF-8 text; what was translated"),
    ("a NUL", b"a\nb\0c d e f g h i j\n", None, "line 2: a NUL character"),
    ("UTF-16", "a b\nc d\n".encode("utf-16"), None, "standard input: this is UTF-16 text"),
    ("UTF-16LE", "a b\nc d\n".encode("utf-16-le"), None, "this is UTF-16LE text"),
    ("Latin-1", "fünf\nzwölf\ndürr\n".encode("latin-1"), None, "this is no UTF-8"),
    ("zeros", bytes(200), None, "bytes are NUL"),
    ("old Mac line ends", b"a\rb\rc", None, "CR alone"),
    ("bzip2", bz2.compress(b"a\n"), None, "this is bzip2"),
    ("broken gzip", gzip.compress(b"a\n" * 99)[:-9], None, "cannot be read on"),
    ("endless", b"a\n" + b"x" * 1_200_000, None, "has over 1048576 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "written", "words"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])
def test_what_is_translated(run, raw, written, words, tmp_path):
    code, found, errors = run(raw)
    assert (code, found) == (0 if written is not None else 2, written)
    assert words in errors
    told = [line for line in errors.splitlines() if not line.endswith("lines translated: out.txt")]
    assert bool(told) == bool(words)
    if written is not None:
        assert f" of {written.count(chr(10))} lines translated: out.txt" in errors
        code, found, errors = run(raw, n_best=3)  # three lines for each
        assert found == "".join(f"{line}\n\n\n" for line in written.split("\n")[:-1])


def test_a_long_line_in_json_and_where_positions_end(run):
    code, found, errors = run(b"a\n1 2 3\nb\n", Shout(longest=2), format="json")
    rows = [json.loads(line) for line in found.splitlines()]
    assert [len(row["translations"]) for row in rows] == [1, 0, 1]
    assert rows[1]["error"] == "3 tokens, over the 2 of the end of the run's positions"
    assert code == 0
    assert "1 of the lines of standard input were not translated" in errors


def test_what_stood_before_an_error_is_kept_and_named(run, tmp_path):
    (tmp_path / "out.txt").write_text("old\n")
    code, found, errors = run(b"a\nb\nc\n\xff\nd\n")
    assert (code, found) == (2, "old\n")
    assert errors.count("\n") == 1
    assert f"{tmp_path}/out.txt.partial" in errors
    assert (tmp_path / "out.txt.partial").read_text() == "A\nB\nC\n"
    run(b"x\n\xff\n")  # an earlier one is not overwritten
    assert (tmp_path / "out.txt.partial").read_text() == "A\nB\nC\n"
    assert (tmp_path / "out.txt.partial2").read_text() == "X\n"
    assert run(b"fine\n")[:2] == (0, "FINE\n")


@pytest.mark.parametrize("how", ["same", "relative", "symlink", "hardlink", "stdin"])
def test_the_input_is_never_the_output(run, tmp_path, how, monkeypatch):
    source = tmp_path / "in.txt"
    source.write_text("a\nb\n")
    (tmp_path / "sub").mkdir()
    name = {"same": str(source), "relative": "sub/../in.txt", "stdin": "in.txt"}.get(how, "link")
    if how == "symlink":
        (tmp_path / "link").symlink_to(source)
    if how == "hardlink":
        os.link(source, tmp_path / "link")
    with source.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file))
        code, _, errors = run(input=None if how == "stdin" else "in.txt", output=name)
    assert (code, source.read_text()) == (2, "a\nb\n")
    assert "this is the file that is read, which would be lost" in errors
    assert not list(tmp_path.glob("*partial*"))


def test_outputs(run, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    assert run(b"a\n", output="new/deep/out.txt")[:2] == (0, "A\n")
    (tmp_path / "link").symlink_to(tmp_path / "new" / "deep" / "out.txt")
    assert run(b"b\n", output="link")[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new" / "deep" / "out.txt").read_text() == "B\n"
    assert run(b"a\n", output="/dev/null")[0] == 0
    for output, words in {
        "folder": "output=folder: this is a folder",
        "file/out.txt": "output=file/out.txt: cannot be written (",
        "/proc/nothing/out.txt": "cannot be written (",
        "/dev/full": "output=/dev/full: cannot be written (No space left on device)",
        "x" * 300: "cannot be written (File name too long)",
        "/dev/fd/987": "cannot be written (Bad file descriptor)",
        "a\0b": f"cannot be written ({NULL})",
    }.items():
        code, _, errors = run(b"a\n", output=output)
        assert (code, words in errors, errors.count("\n")) == (2, True, 1), errors
    for plot in ("file", "file/pictures"):
        code, _, errors = run(b"a\n", plot=plot)
        assert (code, f"plot={plot}: no folder can be made there" in errors) == (2, True)


def test_inputs(run, tmp_path):
    (tmp_path / "folder").mkdir()
    for name, words in {
        "folder": "this is a folder",
        "gone": "there is no such file",
        "a\0b": "cannot be read",
    }.items():
        code, _, errors = run(input=name)
        assert (code, f"input={visible(name)}: {words}" in errors) == (2, True), errors
    read, write = os.pipe()
    os.write(write, b"a\nb\n")
    os.close(write)
    assert run(input=f"/dev/fd/{read}")[:2] == (0, "A\nB\n")
    os.close(read)


def test_ctrl_c_keeps_what_was_translated(run, tmp_path, monkeypatch):
    class Interrupted(Shout):
        def __call__(self, lines):
            if "c" in lines:
                raise KeyboardInterrupt
            return super().__call__(lines)

    with suppress(KeyboardInterrupt):
        run(b"a\nb\nc\n", Interrupted())
    assert (tmp_path / "out.txt.partial").read_text() == "A\nB\n"
    assert not (tmp_path / "out.txt").exists()


def test_closed_standard_streams(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    code, _, errors = run()
    assert (code, "standard input is closed; name a file" in errors) == (2, True)


def test_a_full_disk_is_told_once_and_nothing_moves_into_place(run, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streams.os, "fsync", full)
    (tmp_path / "out.txt").write_text("old\n")
    code, found, errors = run(b"a\n")
    assert (code, found, errors.count("\n")) == (2, "old\n", 1)
    assert "output=out.txt: cannot be written (No space left on device)" in errors
