"""Whatever bytes come: pairs that belong together, a counted skip or one line; held against bytes.split."""

import gzip
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attnlab.cli.lines import sentences
from attnlab.data.corpus import Alignment, Pair, Report
from attnlab.data.encoding import foreign
from attnlab.data.prepared.folder import open_texts, read_pair
from attnlab.data.prepared.prepare import _write_texts
from attnlab.data.progress import Bar
from attnlab.data.reading import Faults, aligned, tabbed
from attnlab.data.text import parse
from attnlab.types import DataError

quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD = [
    "\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x85",
    "\0",
    "\t",
    " ",
    "\ufeff",
    "\u200b",
    "a",
    "b c",
    "ü",
    "猫",
    "\x0c",
    "\u3164",
]
text = st.lists(st.sampled_from(ODD), max_size=30).map("".join).map(str.encode)
raw = st.one_of(text, st.binary(max_size=60), st.tuples(text, st.binary(max_size=4), text).map(b"".join))


def rows(content: bytes) -> list[bytes]:
    """The lines, by the definition: LF ends one, a CR before it belongs to the end."""
    parts = content.split(b"\n")
    return [part.removesuffix(b"\r") for part in (parts if parts[-1] else parts[:-1])]


def told(error: DataError, start: str = "") -> None:
    assert str(error).startswith(start)
    assert "\n" not in str(error)


@quick
@given(raw, raw, st.booleans())
def test_aligned_files(left, right, packed):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a", "b")]
        for path, content in zip(paths, (left, right), strict=True):
            path.write_bytes(gzip.compress(content) if packed else content)
        report = Report()
        try:
            found = list(aligned(*paths, Faults("skip", report, "train")))
        except DataError as error:
            told(error)
            wrong = len(rows(left)) != len(rows(right)) or not left or not right
            assert wrong or foreign(left) or foreign(right) or b"\x1f\x8b" in (left[:2], right[:2])
            return
    assert len(rows(left)) == len(rows(right))
    pairs = [(parse(a), parse(b)) for a, b in zip(rows(left), rows(right), strict=True)]
    assert [pair[:2] for pair in found] == [(a.text, b.text) for a, b in pairs if not a.fault and not b.fault]
    assert len(found) + report.total() == len(pairs)


@quick
@given(raw, st.sampled_from([(0, 1), (1, 0), (0, 2)]))
def test_tables(content, columns):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.tsv")
        path.write_bytes(content)
        report = Report()
        try:
            found = list(tabbed(path, columns, Faults("skip", report, "train")))
        except DataError as error:
            told(error)
            enough = [row for row in rows(content) if row.count(b"\t") >= max(columns)]
            assert not enough or foreign(content) or content[:2] == b"\x1f\x8b"
            return
    assert len(found) + report.total() == len(rows(content))
    for pair in found:
        assert pair.source.strip() == pair.source != ""
        assert pair.target.strip() == pair.target != ""


@quick
@given(raw, st.booleans())
def test_standard_input(content, packed):
    stream = io.BufferedReader(io.BytesIO(gzip.compress(content) if packed else content))
    found = []
    try:
        found.extend(sentences(stream, "standard input"))
    except DataError as error:
        told(error, "standard input")
        faults = [parse(row).fault for row in rows(content)]
        assert foreign(content) or set(faults) - {"", "empty side"} or content[:2] == b"\x1f\x8b"
        return
    assert [line.number for line in found] == list(range(1, len(rows(content)) + 1))
    assert [line.text for line in found] == [parse(row).text for row in rows(content)]


word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@st.composite
def alignments(draw):
    source, target = draw(st.lists(word, max_size=5)), draw(st.lists(word, max_size=5))
    every = [(s, t) for s in range(len(source)) for t in range(len(target))]
    links = st.lists(st.sampled_from(every), unique=True) if every else st.just([])
    sure, more = draw(links), draw(links)
    possible = tuple(dict.fromkeys([*sure, *more]))
    return Pair(draw(word), draw(word), Alignment(tuple(source), tuple(target), tuple(sure), possible))


@quick
@given(st.lists(st.one_of(alignments(), st.builds(Pair, word, word)), min_size=1, max_size=5))
def test_alignments_come_back_from_prepared_files(pairs):
    with tempfile.TemporaryDirectory() as folder:
        assert _write_texts(Path(folder), iter(pairs), Bar()) == len(pairs)
        texts = open_texts(Path(folder))
        assert [read_pair(texts, row) for row in range(len(pairs))] == pairs
