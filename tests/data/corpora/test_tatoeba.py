"""Tatoeba: sentences that belong together stay together, and the tutorial's pair is there to be learnt."""

import gzip
from collections import Counter
from itertools import combinations

import pytest

from attnlab.data.corpora.tatoeba import Tatoeba
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "tatoeba").mkdir()
    rows = [f"Number {i}.\tNummer {i // 2}.\tCC-BY 2.0 ({i})" for i in range(60)]
    (tmp_path / "tatoeba" / "deu.txt.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    return tmp_path


def make(root, **settings):
    return Tatoeba(str(root), **({"val_size": 6, "test_size": 8, "download": False} | settings))


def read(corpus):
    return {split: list(corpus.read(split)) for split in THREE}


def assert_no_shared_sentence(parts):
    for one, other in combinations(parts, 2):
        for side in (0, 1):
            assert not {pair[side] for pair in parts[one]} & {pair[side] for pair in parts[other]}


def test_splits_by_groups_in_both_directions(root):
    forth, back = make(root), make(root, source_language="de", target_language="en")
    assert isinstance(forth, Corpus)
    parts = read(forth)
    assert {split: len(part) for split, part in parts.items()} == {"train": 46, "val": 6, "test": 8}
    assert_no_shared_sentence(parts)
    assert {split: [pair[1::-1] for pair in part] for split, part in read(back).items()} == {
        split: [pair[:2] for pair in part] for split, part in parts.items()
    }
    assert forth.fingerprint() != back.fingerprint()


def test_the_splits_follow_their_seed(root):
    assert read(make(root)) == read(make(root))
    assert read(make(root)) != read(make(root, split_seed=1))


def test_the_first_pairs_in_file_order(root):
    parts = read(make(root, first=20, val_size=0.1, test_size=0.2))
    assert {split: len(part) for split, part in parts.items()} == {"train": 14, "val": 2, "test": 4}
    assert {pair.source for part in parts.values() for pair in part} == {f"Number {i}." for i in range(20)}
    numbers = [int(pair.source[7:-1]) for pair in parts["train"]]
    assert numbers == sorted(numbers)


def test_a_sample(root):
    sources = {pair.source for part in read(make(root, sample=30)).values() for pair in part}
    assert len(sources) == 30
    assert sources != {f"Number {i}." for i in range(30)}
    both = {pair.source for part in read(make(root, first=40, sample=30)).values() for pair in part}
    assert both <= {f"Number {i}." for i in range(40)}
    other = {pair.source for part in read(make(root, sample=30, split_seed=5)).values() for pair in part}
    assert other != sources


@pytest.mark.parametrize("setting", ["first", "sample", "val_size", "test_size", "split_seed"])
def test_every_selection_is_in_the_fingerprint(root, setting):
    assert make(root, **{setting: 7}).fingerprint() != make(root).fingerprint()


def test_faults_of_the_whole_file_are_counted_once(root):
    (root / "tatoeba" / "deu.txt").write_text("\n".join(["Hi.\tHallo!", "no tab", *(f"e{i}\td{i}" for i in range(20))]))
    corpus = make(root)
    parts = read(corpus)
    read(corpus)
    assert sum(map(len, parts.values())) == 21
    assert corpus.report.lines() == [f"all: 1 skipped: no tab (first: {root}/tatoeba/deu.txt:2)"]
    with pytest.raises(DataError, match=r"deu\.txt:2: no tab"):
        read(make(root, malformed="error"))


def test_everything_held_out_leaves_no_training_pair(root):
    with pytest.raises(DataError, match="tatoeba: split 'train' has no sentence pair"):
        list(make(root, val_size=30, test_size=30).read("train"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"source_language": "fr", "target_language": "de"},
            "expected 'en' on one side and one of de, fr, zh",
        ),
        ({"source_language": "en", "target_language": "en"}, "expected 'en' on one side"),
        ({"source_language": "en", "target_language": "xx"}, "expected 'en' on one side"),
        ({"first": 0}, "first=0: expected at least 1 pair"),
        ({"sample": -5}, "sample=-5: expected at least 1 pair"),
        ({"val_size": 1.5}, "val_size=1.5: expected a number of pairs"),
    ],
)
def test_impossible_settings(root, settings, message):
    with pytest.raises(ConfigError, match=message):
        make(root, **settings)


def test_a_missing_file_names_the_source(tmp_path):
    with pytest.raises(DataError, match=r"tatoeba/fra\.txt\[\.gz\]: download=false; .*manythings\.org"):
        list(make(tmp_path, target_language="fr").read("train"))


def test_the_whole_chinese_file(shared_data):
    corpus = Tatoeba(str(shared_data), "en", "zh", malformed="error", download=False)
    parts = read(corpus)
    pairs = [pair for part in parts.values() for pair in part]
    # rows, distinct English and distinct Chinese sides as the data sheet of the file has them
    assert (len(pairs), len({p.source for p in pairs}), len({p.target for p in pairs})) == (
        29_155,
        27_661,
        25_543,
    )
    assert (len(parts["val"]), len(parts["test"])) == (1_000, 1_000)
    assert_no_shared_sentence(parts)


def test_french_is_rid_of_its_no_break_spaces(shared_data):
    corpus = Tatoeba(str(shared_data), "en", "fr", first=10_000, malformed="error", download=False)
    parts = read(corpus)
    with gzip.open(shared_data / "tatoeba" / "fra.txt.gz", "rt", encoding="utf-8", newline="\n") as file:
        raw = [line.rstrip("\n").split("\t")[:2] for line, _ in zip(file, range(10_000), strict=False)]
    assert any("\u202f" in other or "\u00a0" in other for _, other in raw)
    expected = Counter((english, other.replace("\u202f", " ").replace("\u00a0", " ")) for english, other in raw)
    assert Counter(pair[:2] for part in parts.values() for pair in part) == expected
    assert_no_shared_sentence(parts)


@pytest.mark.parametrize("size", [200, 1000])
def test_the_pair_of_the_tutorial_is_in_its_training_set(shared_data, size):
    corpus = Tatoeba(str(shared_data), first=10_000, val_size=size, test_size=size, download=False)
    parts = read(corpus)
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 10_000 - 2 * size,
        "val": size,
        "test": size,
    }
    wanted = {("She kissed him.", "Sie küsste ihn."), ("She kissed him.", "Sie hat ihn geküsst.")}
    assert wanted <= {pair[:2] for pair in parts["train"]}
