"""One's own files, in every form the docstring promises."""

import gzip
from itertools import combinations

import pytest

from attnlab.data.corpora.parallel import Parallel
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")


def rows(start, stop):
    return [(f"line {i}", f"zeile {i}") for i in range(start, stop)]


@pytest.fixture
def root(tmp_path):
    for name, pairs in (("train", rows(0, 100)), ("val", rows(90, 110)), ("test", rows(105, 120))):
        for side, code in enumerate(("en", "de")):
            (tmp_path / f"{name}.{code}").write_text("".join(f"{pair[side]}\n" for pair in pairs))
        table = "".join(f"{i}\t{german}\t{english}\n" for i, (english, german) in enumerate(pairs))
        (tmp_path / f"{name}.tsv.gz").write_bytes(gzip.compress(f"id\tde\ten\n{table}".encode()))
    return tmp_path


def make(root, **settings):
    return Parallel(str(root), "en", "de", **({"val_size": 5, "test_size": 10} | settings))


def read(corpus):
    return {split: list(corpus.read(split)) for split in THREE}


def texts(pairs):
    return [pair[:2] for pair in pairs]


FILES = {split: [f"{split}.en", f"{split}.de"] for split in THREE}
TABLES = {split: f"{split}.tsv" for split in THREE} | {"columns": [2, 1], "header": True}


@pytest.mark.parametrize(
    "files",
    [
        FILES,
        TABLES,
        FILES | {"test": ["test.en", "test.de"], "val": "val.tsv.gz"} | {"columns": [2, 1], "header": True},
    ],
)
def test_three_given_parts(root, files):
    corpus = make(root, **files)
    assert isinstance(corpus, Corpus)
    assert corpus.splits == THREE
    parts = read(corpus)
    assert texts(parts["test"]) == rows(105, 120)
    assert texts(parts["val"]) == rows(90, 105)
    assert texts(parts["train"]) == rows(0, 90)
    assert corpus.report.skipped["train"] == {"pair also in val": 10}
    assert corpus.report.skipped["val"] == {"pair also in test": 5}


def test_parts_held_out_of_one_file(root):
    parts = read(make(root, train=FILES["train"]))
    assert {split: len(part) for split, part in parts.items()} == {"train": 85, "val": 5, "test": 10}
    assert not any(set(parts[one]) & set(parts[other]) for one, other in combinations(THREE, 2))
    assert sorted(pair for part in parts.values() for pair in texts(part)) == sorted(rows(0, 100))
    assert read(make(root, train=FILES["train"], split_seed=1)) != parts
    assert read(make(root, train=TABLES["train"], columns=[2, 1], header=True)) == parts
    shares = read(make(root, train=FILES["train"], val_size=0.1, test_size=0.2))
    assert {split: len(part) for split, part in shares.items()} == {"train": 70, "val": 10, "test": 20}


def test_apart_by_sentence(root):
    (root / "train.de").write_text("".join(f"zeile {i // 2}\n" for i in range(100)))
    by_pair = read(make(root, train=FILES["train"]))
    by_sentence = read(make(root, train=FILES["train"], apart="sentence"))
    held = {pair.target for pair in by_sentence["val"] + by_sentence["test"]}
    assert not held & {pair.target for pair in by_sentence["train"]}
    assert len(by_pair["train"]) == 85 > len(by_sentence["train"])


def test_a_test_set_alone(root):
    corpus = make(root, test=FILES["test"])
    assert len(list(corpus.read("test"))) == 15
    corpus.fingerprint()
    with pytest.raises(DataError, match="no file is named for 'train'"):
        list(corpus.read("train"))


def test_names_from_the_current_folder_come_first(root, tmp_path_factory, monkeypatch):
    here = tmp_path_factory.mktemp("here")
    (here / "test.en").write_text("here\n")
    (here / "test.de").write_text("hier\n")
    monkeypatch.chdir(here)
    assert texts(make(root, test=FILES["test"]).read("test")) == [("here", "hier")]
    absolute = [str(root / name) for name in FILES["test"]]
    assert len(list(make(here, test=absolute).read("test"))) == 15


def test_the_fingerprint(root):
    settings = [
        FILES,
        FILES | {"apart": "sentence"},
        {"train": FILES["train"]},
        {"train": FILES["train"], "val_size": 6},
        {"train": FILES["train"], "test_size": 6},
        {"train": FILES["train"], "split_seed": 6},
        {"train": FILES["train"][::-1]},
        {"train": TABLES["train"]},
        {"train": TABLES["train"], "header": True},
        {"train": TABLES["train"], "columns": [1, 2]},
    ]
    assert len({make(root, **setting).fingerprint() for setting in settings}) == len(settings)
    before = make(root, **FILES).fingerprint()
    (root / "val.de").write_text("".join(f"{i}\n" for i in range(20)))
    assert make(root, **FILES).fingerprint() != before


def test_malformed_input(root):
    (root / "bad.tsv").write_bytes(b"a\tA\nno tab\n\xff\tB\nc\t\nd\tD\n")
    corpus = make(root, test="bad.tsv")
    assert texts(corpus.read("test")) == [("a", "A"), ("d", "D")]
    assert corpus.report.skipped["test"] == {"no tab": 1, "invalid UTF-8": 1, "empty side": 1}
    with pytest.raises(DataError, match=r"bad\.tsv:2: no tab"):
        list(make(root, test="bad.tsv", malformed="error").read("test"))
    with pytest.raises(DataError, match=r"val\.de: 20 lines, but .*train\.en has 100"):
        list(make(root, train=["train.en", "val.de"]).read("train"))
    (root / "empty.en").write_text("")
    with pytest.raises(DataError, match=r"empty\.en: the file is empty"):
        list(make(root, train=["empty.en", "val.de"]).read("train"))


def test_faults_are_counted_for_train_only_once_although_the_file_is_read_for_every_split(root):
    (root / "train.de").write_text("".join("\n" if i == 4 else f"zeile {i}\n" for i in range(100)))
    corpus = make(root, train=FILES["train"])
    parts = read(corpus)
    assert sum(map(len, parts.values())) == 99
    assert corpus.report.lines() == [f"train: 1 skipped: empty side (first: {root}/train.de:5)"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no file is named"),
        ({"train": ["a", "b", "c"]}, "train names 3 files"),
        ({"train": "a.tsv", "columns": [1]}, r"columns=\[1\]"),
        ({"train": "a.tsv", "columns": [1, 1]}, r"columns=\[1, 1\]"),
        ({"train": "a.tsv", "columns": [-1, 0]}, r"columns=\[-1, 0\]"),
        ({"train": "a.tsv", "val_size": 1.0}, r"val_size=1\.0"),
    ],
)
def test_impossible_settings(root, settings, message):
    with pytest.raises(ConfigError, match=message):
        make(root, **settings)


def test_a_missing_file_names_both_places(root):
    with pytest.raises(
        DataError, match=r"missing file .*gone\.en\[\.gz\] \(or .*gone\.en\[\.gz\]\); give its path"
    ) as raised:
        list(make(root, train=["gone.en", "train.de"]).read("train"))
    assert str(root) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_reading_is_a_stream(tmp_path):
    """The first pairs come before the end of the file is looked at: a fault at the end shows only there."""
    (tmp_path / "a").write_text("x\n" * 1000)
    (tmp_path / "b").write_text("y\n" * 999)
    (tmp_path / "t.tsv").write_text("v\tw\n")
    pairs = make(tmp_path, train=["a", "b"], val="t.tsv", test="t.tsv", apart="pair").read("train")
    assert next(pairs)[:2] == ("x", "y")
    with pytest.raises(DataError, match="999 lines"):
        list(pairs)


def test_gold_alignments_are_those_of_the_file(root):
    """Line 2 has no target and is left out; the links of line 3 stay those of line 3."""
    (root / "a.en").write_text("the red car\nnothing\na man sleeps\n")
    (root / "a.de").write_text("das rote Auto\n\nein Mann schläft jetzt\n")
    (root / "a.links").write_text("0-0 1-1 2-2\n\n0-0 1-1 2-2 2?3\n")
    corpus = make(root, test=["a.en", "a.de"], test_alignment="a.links")
    first, second = corpus.read("test")
    assert first.alignment.sure == ((0, 0), (1, 1), (2, 2))
    assert second.alignment.source_words == ("a", "man", "sleeps")
    assert second.alignment.sure == ((0, 0), (1, 1), (2, 2))
    assert second.alignment.possible == ((0, 0), (1, 1), (2, 2), (2, 3))
    other = make(root, test=["a.en", "a.de"])
    assert other.fingerprint() != corpus.fingerprint()
    (root / "one.links").write_text("1-1 2-2 3-3\n\n1-1 2-2 3-3 3p4\n")
    counted = make(root, test=["a.en", "a.de"], test_alignment="one.links", alignment_base=1)
    assert list(counted.read("test")) == [first, second]


def test_gold_alignments_of_a_table_with_a_header(root):
    (root / "t.tsv").write_text("en\tde\nthe car\tdas Auto\na man\tein Mann\n")
    (root / "t.links").write_text("0-0 1-1\n1-1\n")
    pairs = make(root, test="t.tsv", header=True, test_alignment="t.links").read("test")
    assert [pair.alignment.sure for pair in pairs] == [((0, 0), (1, 1)), ((1, 1),)]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("0-0\n", "1 lines of links for 2 lines of text"),
        ("0-0\n0:1\n", r"g\.links:2: '0:1' is no link; expected SOURCE-TARGET"),
        ("1-1\n2-1\n", r"2-1 is a link of source word 2, and the source has 2.*alignment_base=1"),
        ("0-0\n0-7\n", r"target word 7, and the target has 2, counted from 0$"),
    ],
)
def test_links_that_cannot_be(root, links, message):
    (root / "g.en").write_text("the car\na man\n")
    (root / "g.de").write_text("das Auto\nein Mann\n")
    (root / "g.links").write_text(links)
    with pytest.raises(DataError, match=message):
        list(make(root, test=["g.en", "g.de"], test_alignment="g.links").read("test"))


def test_links_without_their_texts(root):
    with pytest.raises(ConfigError, match="val_alignment came without val"):
        make(root, test=["a.en", "a.de"], val_alignment="g.links")


def test_a_pair_with_links_stays_out_of_train(root):
    """It is the same pair with and without them."""
    (root / "t.en").write_text("the car\n")
    (root / "t.de").write_text("das Auto\n")
    (root / "t.links").write_text("0-0 1-1\n")
    (root / "train.tsv").write_text("the car\tdas Auto\na man\tein Mann\n")
    corpus = make(root, train="train.tsv", test=["t.en", "t.de"], test_alignment="t.links", val_size=0)
    assert texts(corpus.read("train")) == [("a man", "ein Mann")]
