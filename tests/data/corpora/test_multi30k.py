"""Multi30k in any pair of its languages, with the counts of its data sheet."""

import gzip
from itertools import combinations

import pytest

from attnlab.data.corpora.multi30k import Multi30k
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

STEMS = {"train": "train", "val": "val", "test": "test_2016_flickr", "test_2017_flickr": "test_2017_flickr"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "multi30k"
    root.mkdir()
    for stem in STEMS.values():
        for code in ("en", "de"):
            text = "".join(f"{stem} {code} {i} \n" for i in range(4))
            (root / f"{stem}.{code}.gz").write_bytes(gzip.compress(text.encode()))
    return root


def make(folder, *languages, **settings):
    return Multi30k(str(folder.parent), *(languages or ("en", "de")), download=False, **settings)


def test_splits_and_direction(folder):
    forth, back = make(folder), make(folder, "de", "en")
    assert isinstance(forth, Corpus)
    assert forth.splits == ("train", "val", "test", "test_2017_flickr")
    assert (back.source_language, back.target_language) == ("de", "en")
    for split, stem in STEMS.items():
        assert [pair[:2] for pair in forth.read(split)] == [(f"{stem} en {i}", f"{stem} de {i}") for i in range(4)]
        assert [pair[:2] for pair in back.read(split)] == [(f"{stem} de {i}", f"{stem} en {i}") for i in range(4)]


def test_a_further_test_set_needs_both_sides(folder):
    (folder / "test_2017_flickr.de.gz").unlink()
    assert make(folder).splits == ("train", "val", "test")
    with pytest.raises(DataError, match="has no split 'test_2017_flickr'"):
        make(folder).read("test_2017_flickr")


def test_a_training_pair_of_a_further_test_set_is_left_out(folder):
    for code in ("en", "de"):
        text = f"test_2017_flickr {code} 2\nsomething {code} else\n"
        (folder / f"train.{code}.gz").write_bytes(gzip.compress(text.encode()))
    corpus = make(folder)
    assert [pair[:2] for pair in corpus.read("train")] == [("something en else", "something de else")]
    assert corpus.report.skipped["train"] == {"pair also in test_2017_flickr": 1}


def test_a_test_set_alone_can_be_read_and_has_a_fingerprint(folder):
    whole = make(folder).fingerprint()
    for path in folder.iterdir():
        if not path.name.startswith("test_2017"):
            path.unlink()
    corpus = make(folder)
    assert len(list(corpus.read("test_2017_flickr"))) == 4
    assert corpus.fingerprint() != whole
    with pytest.raises(DataError, match=r"missing file .*multi30k/train\.en\[\.gz\]: download=false"):
        list(corpus.read("train"))


def test_the_fingerprint_follows_content_and_direction(folder):
    before = make(folder).fingerprint()
    assert make(folder).fingerprint() == before
    assert make(folder, "de", "en").fingerprint() != before
    (folder / "val.de.gz").write_bytes(gzip.compress(b"1\n2\n3\n4\n"))
    assert make(folder).fingerprint() != before


def test_malformed_lines(folder):
    (folder / "val.de.gz").write_bytes(gzip.compress(b"1\n\xff\n\n4\n"))
    corpus = make(folder)
    assert len(list(corpus.read("val"))) == 2
    assert corpus.report.skipped["val"] == {"invalid UTF-8": 1, "empty side": 1}
    with pytest.raises(DataError, match=r"val\.de\.gz:2: invalid UTF-8"):
        list(make(folder, malformed="error").read("val"))


def test_one_language_on_both_sides(folder):
    with pytest.raises(ConfigError, match="source_language and target_language are both 'en'"):
        make(folder, "en", "en")


@pytest.mark.parametrize(("source", "target"), [("en", "de"), pytest.param("cs", "fr", marks=pytest.mark.long)])
def test_the_real_files(shared_data, source, target):
    corpus = Multi30k(str(shared_data), source, target, malformed="error", download=False)
    parts = {split: list(corpus.read(split)) for split in ("train", "val", "test")}
    assert len(parts["train"]) == 29_000
    assert (len(parts["val"]), len(parts["test"])) == (1_014, 1_000)
    assert not any(set(parts[one]) & set(parts[other]) for one, other in combinations(parts, 2))
    assert all(side == side.strip() for part in parts.values() for pair in part for side in pair[:2])
