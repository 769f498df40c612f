"""Sets of the ``datasets`` library: a stand-in with the same face, and the library where it is installed."""

import importlib.util
import json
import sys
from types import ModuleType

import pytest

from attnlab.data import files
from attnlab.data.corpora.huggingface import Huggingface
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")
INSTALLED = importlib.util.find_spec("datasets") is not None


class Table(list):
    def __init__(self, rows):
        super().__init__(rows)
        self.cache_files = []


@pytest.fixture
def fake(monkeypatch):
    """``datasets`` with one translation set and one of two columns; notes how it was called."""
    module = ModuleType("datasets")
    module.calls = []
    module.sets = {
        "books": {
            "train": Table({"translation": {"en": f"book {i}", "de": f"Buch {i}"}} for i in range(40)),
            "validation": Table({"translation": {"en": f"book {i}", "de": f"Buch {i}"}} for i in range(38, 45)),
            "test": Table({"translation": {"en": f"page {i}", "de": f"Seite {i}"}} for i in range(5)),
        },
        "columns": {"train": Table({"src": f"a\u00a0{i} ", "tgt": f"b {i}", "id": i} for i in range(30))},
        "holes": {"train": Table({"src": text, "tgt": "x"} for text in ("a", None, " ", "b", 3))},
    }

    def load_dataset(path, name=None, *, split, revision=None, data_files=None):
        module.calls.append((path, name, split, revision, data_files))
        if path not in module.sets:
            raise FileNotFoundError(f"Couldn't find\nany data at {path}")
        if split not in module.sets[path]:
            raise ValueError(f'Unknown split "{split}". Should be one of {list(module.sets[path])}.')
        return module.sets[path][split]

    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


ONE = {"val_split": None, "test_split": None}
COLUMNS = {"source_column": "src", "target_column": "tgt"}


def make(path, **settings):
    return Huggingface(path, "en", "de", **({"val_size": 3, "test_size": 4} | settings))


def read(corpus):
    return {split: list(corpus.read(split)) for split in THREE}


def test_given_splits(fake):
    corpus = make("books", subset="de-en", revision="abc", data_files={"train": ["x", "y"]})
    assert isinstance(corpus, Corpus)
    parts = read(corpus)
    assert {split: len(part) for split, part in parts.items()} == {"train": 38, "val": 7, "test": 5}
    assert parts["test"][0][:2] == ("page 0", "Seite 0")
    assert corpus.report.skipped["train"] == {"pair also in val": 2}
    assert sorted(fake.calls) == [
        ("books", "de-en", split, "abc", {"train": ["x", "y"]}) for split in ("test", "train", "validation")
    ]


def test_held_out_parts_and_two_columns(fake):
    parts = read(make("columns", **ONE, **COLUMNS))
    assert {split: len(part) for split, part in parts.items()} == {"train": 23, "val": 3, "test": 4}
    assert {pair[:2] for part in parts.values() for pair in part} == {(f"a {i}", f"b {i}") for i in range(30)}


def test_direction(fake):
    back = Huggingface("books", "de", "en")
    assert next(back.read("test"))[:2] == ("Seite 0", "page 0")
    assert back.fingerprint() != make("books", val_size=1000, test_size=1000).fingerprint()


def test_rows_without_text(fake):
    corpus = make("holes", **ONE, **COLUMNS, val_size=0, test_size=0)
    assert [pair.source for pair in corpus.read("train")] == ["a", "b"]
    assert corpus.report.lines() == ["train: 3 skipped: empty side (first: holes train row 1)"]
    with pytest.raises(DataError, match="holes train row 1: empty side"):
        list(make("holes", **ONE, **COLUMNS, malformed="error").read("train"))


HOSTILE = [
    None,
    3,
    2.5,
    float("nan"),
    True,
    [],
    ["a"],
    {"x": "a"},
    b"a",
    "",
    " ",
    "\u200b",
    "\0",
    "a\0b",
    "\ud800",
    "a\ud800b",
]


def test_rows_of_anything_are_counted_or_text(fake, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_LINE", 100)
    good = [{"translation": {"en": f"a {i}", "de": f"b {i}"}} for i in range(4)]
    bad = [{"translation": {"en": "a", "de": value}} for value in [*HOSTILE, "x" * 101, "ü" * 51]]
    bad += [{"translation": value} for value in (None, {"en": "a"}, {}, ["a", "b"], "a")]
    fake.sets["hostile"] = {"train": Table([bad[-1], *good, *bad[:-1]])}
    corpus = make("hostile", **ONE, val_size=0, test_size=0)
    assert [pair.source for pair in corpus.read("train")] == [f"a {i}" for i in range(4)]
    found = corpus.report.skipped["train"]
    assert found == {
        "empty side": 14, "a NUL character": 1, "over 100 bytes": 2, "invalid UTF-8": 2, "no such languages": 4,
    }  # fmt: skip
    for row in bad:
        fake.sets["hostile"]["train"] = Table([row])
        with pytest.raises(DataError, match="hostile train row 0: "):
            list(make("hostile", **ONE, malformed="error", val_size=0, test_size=0).read("train"))


def test_a_set_without_rows_and_one_of_many_columns(fake):
    fake.sets["none"] = {"train": Table([])}
    with pytest.raises(DataError, match="there are only 0 different ones"):
        list(make("none", **ONE).read("train"))
    for value in ({"en": "a"}, ["a"], "a", 3):
        fake.sets["none"]["train"] = Table([{"translation": value}] * 3)
        with pytest.raises(DataError, match=r"none train: no 'en' and 'de' in \{'translation': .*; set column"):
            list(make("none", **ONE).read("train"))
    fake.sets["wide"] = {"train": Table([{f"column {i}": "x" for i in range(10_000)}])}
    with pytest.raises(DataError, match="no 'en' and 'de' in ") as raised:
        list(make("wide", **ONE).read("train"))
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("where", ["opening", "reading"])
@pytest.mark.parametrize("kind", [RuntimeError, TypeError, ImportError])
def test_whatever_the_library_raises_is_told_on_one_line(fake, monkeypatch, kind, where):
    """Of a broken file it raises errors of its own, which are neither of the system nor ValueErrors."""

    class Broken(Table):
        def __iter__(self):
            raise kind("no\nstruct")

    def load(*_, **__):
        if where == "opening":
            raise kind("An error occurred") from ValueError("row 7: Expected object or value")
        return Broken([])

    monkeypatch.setattr(fake, "load_dataset", load)
    for read in (lambda corpus: list(corpus.read("train")), lambda corpus: corpus.fingerprint()):
        with pytest.raises(DataError, match=r"^huggingface: path=books, subset=None, split 'train': ") as raised:
            read(make("books", **ONE))
        assert "\n" not in str(raised.value)
        assert ("row 7" in str(raised.value)) == (where == "opening")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "columns"}, "no 'en' and 'de' in {'src': 'text', 'tgt': 'text', 'id': 'text'}; set column"),
        (
            {"path": "columns", "source_column": "src", "target_column": "x"},
            "no 'src' and 'x' in .*; set source_column",
        ),
        ({"path": "books", "target_language": "fr"}, "no 'en' and 'fr' in {'translation': \\['de', 'en'\\]}"),
        ({"path": "gone"}, "path=gone, subset=None, split 'train': Couldn't find any data at gone"),
        ({"path": "books", "train_split": "training"}, "split 'training': Unknown split"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(fake, settings, message):
    corpus = Huggingface(**({"source_language": "en", "target_language": "de"} | ONE | settings))
    with pytest.raises(DataError, match=message) as raised:
        list(corpus.read("train"))
    assert "\n" not in str(raised.value)


def test_one_text_column_alone(fake):
    with pytest.raises(ConfigError, match="set both or neither"):
        make("columns", source_column="src")


def test_the_fingerprint_follows_rows_and_settings(fake):
    settings = [
        {},
        {"val_size": 5},
        {"test_size": 5},
        {"split_seed": 5},
        {"apart": "sentence"},
        {"train_split": "test"},
    ]
    assert len({make("books", **ONE, **setting).fingerprint() for setting in settings}) == len(settings)
    before = make("books").fingerprint()
    assert make("books").fingerprint() == before
    fake.sets["books"]["test"][2]["translation"]["de"] = "Blatt 2"
    assert make("books").fingerprint() != before


def test_the_fingerprint_follows_the_files_behind_a_set(fake, tmp_path):
    file = tmp_path / "train.arrow"
    file.write_bytes(b"one")
    fake.sets["books"]["train"].cache_files = [{"filename": str(file)}]
    before = make("books").fingerprint()
    file.write_bytes(b"two")
    assert make("books").fingerprint() != before


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r"pip install 'attnlab\[huggingface\]'"):
        list(make("books").read("train"))


@pytest.mark.skipif(not INSTALLED, reason="the extra 'huggingface' is not installed")
@pytest.mark.filterwarnings("ignore")
def test_a_local_file_through_the_library_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "mine.jsonl"
    rows = [{"translation": {"en": f"word {i}", "de": f"Wort {i}"}} for i in range(30)]
    file.write_text("\n".join(map(json.dumps, rows)))
    corpus = make("json", **ONE, data_files={"train": str(file)})
    parts = read(corpus)
    assert {split: len(part) for split, part in parts.items()} == {"train": 23, "val": 3, "test": 4}
    before = corpus.fingerprint()
    file.write_text("\n".join(map(json.dumps, rows[::-1])))
    assert make("json", **ONE, data_files={"train": str(file)}).fingerprint() != before
