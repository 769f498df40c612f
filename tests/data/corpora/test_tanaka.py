"""Tanaka: what dev has is not trained on; both scripts can be joined to plain text."""

import pytest

from attnlab.data.corpora.tanaka import Tanaka
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")


def write(root, part, pairs):
    folder = root / "tanaka_enja"
    folder.mkdir(exist_ok=True)
    for side, code in enumerate(("en", "ja")):
        (folder / f"{part}.{code}").write_text("".join(f"{pair[side]}\n" for pair in pairs))


@pytest.fixture
def root(tmp_path):
    write(tmp_path, "train", [(f"it 's number {i // 2} .", f"番号 {i} で す 。") for i in range(60)])
    write(tmp_path, "dev", [("it 's number 3 .", "三 番 で す 。"), ("i can 't go .", "行 け な い 。")])
    return tmp_path


def make(root, **settings):
    return Tanaka(str(root), **({"test_size": 6, "download": False} | settings))


def read(corpus):
    return {split: list(corpus.read(split)) for split in THREE}


def test_no_split_shares_a_sentence_of_either_side(root):
    corpus = make(root)
    assert isinstance(corpus, Corpus)
    parts = read(corpus)
    assert (len(parts["val"]), len(parts["test"])) == (2, 6)
    english = {split: {pair.source for pair in part} for split, part in parts.items()}
    assert not english["train"] & (english["val"] | english["test"])
    assert "it 's number 3 ." not in english["train"] | english["test"]
    # Two pairs share the English sentence of dev; of each sentence in test the other translation is left out.
    assert corpus.report.skipped["train"]["sentence also in val"] == 2
    assert len(parts["train"]) + len(parts["test"]) + corpus.report.total("train") == 60


def test_a_test_file_is_used_where_it_is_there(root):
    before = make(root).fingerprint()
    write(root, "test", [("it 's number 5 .", "五 番 で す 。")])
    corpus = make(root)
    assert [pair[:2] for pair in corpus.read("test")] == [("it 's number 5 .", "五 番 で す 。")]
    assert "it 's number 5 ." not in {pair.source for pair in corpus.read("train")}
    assert corpus.fingerprint() != before


def test_plain_text(root):
    corpus = make(root, detokenize=True)
    assert [pair[:2] for pair in corpus.read("val")] == [
        ("it's number 3.", "三番です。"),
        ("i can't go.", "行けない。"),
    ]
    back = make(root, detokenize=True, source_language="ja", target_language="en")
    assert [pair[:2] for pair in back.read("val")] == [
        ("三番です。", "it's number 3."),
        ("行けない。", "i can't go."),
    ]
    assert len({corpus.fingerprint(), back.fingerprint(), make(root).fingerprint()}) == 3


def test_blanks_between_latin_words_stay(tmp_path, root):
    write(tmp_path, "dev", [("new york times .", "New York  Times を 読 む 。")])
    assert next(make(tmp_path, detokenize=True).read("val")).target == "New York  Timesを読む。"


@pytest.mark.parametrize("setting", [{"test_size": 7}, {"split_seed": 1}])
def test_the_draw(root, setting):
    assert read(make(root, **setting))["test"] != read(make(root))["test"]
    assert make(root, **setting).fingerprint() != make(root).fingerprint()


def test_faults_and_missing_files(root):
    write(root, "dev", [("a .", ""), ("b .", "う 。")])
    corpus = make(root)
    assert len(list(corpus.read("val"))) == 1
    assert corpus.report.skipped["val"] == {"empty side": 1}
    with pytest.raises(DataError, match=r"dev\.ja:1: empty side"):
        list(make(root, malformed="error").read("val"))
    (root / "tanaka_enja" / "train.ja").unlink()
    with pytest.raises(DataError, match=r"tanaka_enja/train\.ja\[\.gz\]: download=false; .*small_parallel_enja"):
        list(make(root).read("train"))
    with pytest.raises(ConfigError, match="are both 'en'"):
        make(root, target_language="en")


@pytest.mark.long
def test_the_real_files(shared_data):
    corpus = Tanaka(str(shared_data), test_size=0, malformed="error", download=False)
    parts = {split: list(corpus.read(split)) for split in ("train", "val")}
    assert len(parts["val"]) == 500
    assert len(parts["train"]) + corpus.report.total("train") == 50_000
    # 77 of the 500 English sentences of dev also occur in train (data sheet), some of them more than once.
    assert corpus.report.skipped["train"]["sentence also in val"] >= 77
    assert not {p.source for p in parts["train"]} & {p.source for p in parts["val"]}
