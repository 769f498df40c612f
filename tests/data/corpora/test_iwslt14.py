"""IWSLT 2014: unescaped, detokenised, and split by whatever files there are."""

import gzip
from itertools import combinations

import pytest

from attnlab.data.corpora.iwslt14 import Iwslt14
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")
TALK = {
    "de": "und dann sage ich : &quot; na klar . &quot;\n",
    "en": "and i say , &quot; of course , it &apos;s a &#91; big &#93; house &amp; so on . &quot;\n",
}


def write(root, part, sentences):
    folder = root / "iwslt14_deen"
    folder.mkdir(exist_ok=True)
    for code in ("de", "en"):
        (folder / f"{part}.{code}").write_text(TALK[code] + "".join(f"{code} satz {i} .\n" for i in sentences))


def make(root, **settings):
    return Iwslt14(str(root), **({"val_size": 4, "test_size": 5} | settings))


def read(corpus):
    return {split: list(corpus.read(split)) for split in THREE}


def assert_apart(parts):
    for one, other in combinations(parts, 2):
        assert not set(parts[one]) & set(parts[other])


@pytest.mark.parametrize(
    ("detokenize", "german", "english"),
    [
        (True, 'und dann sage ich: "na klar."', 'and i say, "of course, it\'s a [big] house & so on."'),
        (
            False,
            'und dann sage ich : " na klar . "',
            'and i say , " of course , it \'s a [ big ] house & so on . "',
        ),
    ],
)
def test_text(tmp_path, detokenize, german, english):
    write(tmp_path, "valid", range(30))
    corpus = make(tmp_path, detokenize=detokenize)
    assert (german, english) in {pair[:2] for part in read(corpus).values() for pair in part}
    back = make(tmp_path, detokenize=detokenize, source_language="en", target_language="de")
    assert (english, german) in {pair[:2] for part in read(back).values() for pair in part}


def test_three_splits_of_the_validation_part(tmp_path):
    write(tmp_path, "valid", range(30))
    corpus = make(tmp_path)
    assert isinstance(corpus, Corpus)
    parts = read(corpus)
    assert {split: len(part) for split, part in parts.items()} == {"train": 22, "val": 4, "test": 5}
    assert_apart(parts)
    assert read(make(tmp_path, split_seed=1)) != parts
    assert {corpus.fingerprint(), make(tmp_path, split_seed=1).fingerprint()} != {corpus.fingerprint()}


def test_training_file_without_test_file(tmp_path):
    write(tmp_path, "valid", range(10))
    write(tmp_path, "train", range(5, 40))
    parts = read(make(tmp_path))
    assert (len(parts["val"]), len(parts["test"])) == (11, 5)
    assert len(parts["train"]) == 36 - 5 - 6  # the talk and sentences 5 to 9 are in valid, 5 are held out
    assert_apart(parts)


def test_all_three_files(tmp_path):
    write(tmp_path, "valid", range(10))
    write(tmp_path, "test", range(20, 25))
    write(tmp_path, "train", range(5, 40))
    corpus = make(tmp_path)
    parts = read(corpus)
    assert len(parts["test"]) == 6
    assert len(parts["val"]) == 10  # the talk is in test
    assert len(parts["train"]) == 36 - 6 - 5
    assert corpus.report.skipped["train"] == {"pair also in test": 6, "pair also in val": 5}
    assert_apart(parts)


def test_a_missing_file_says_how_it_is_made(tmp_path):
    with pytest.raises(DataError, match=r"iwslt14_deen/valid\.de\[\.gz\]: .*prepare-iwslt14\.sh"):
        list(make(tmp_path).read("train"))


def test_one_language_on_both_sides(tmp_path):
    with pytest.raises(ConfigError, match="are both 'de'"):
        make(tmp_path, target_language="de")


def test_malformed_lines(tmp_path):
    write(tmp_path, "valid", range(30))
    path = tmp_path / "iwslt14_deen" / "valid.en"
    path.write_text(path.read_text().replace("en satz 3 .\n", "\n"))
    corpus = make(tmp_path)
    assert sum(map(len, read(corpus).values())) == 30
    assert corpus.report.skipped["train"] == {"empty side": 1}
    with pytest.raises(DataError, match=r"valid\.en:5: empty side"):
        read(make(tmp_path, malformed="error"))


def test_the_real_files(shared_data):
    corpus = Iwslt14(str(shared_data), detokenize=False, malformed="error")
    parts = read(corpus)
    assert sum(map(len, parts.values())) + corpus.report.total() == 7_283
    assert (len(parts["val"]), len(parts["test"])) == (500, 500)
    assert_apart(parts)
    text = "\n".join(side for part in parts.values() for pair in part for side in pair[:2])
    with gzip.open(shared_data / "iwslt14_deen" / "valid.en.gz", "rt", encoding="utf-8") as file:
        assert "&apos;" in file.read()
    assert not any(escape in text for escape in ("&apos;", "&quot;", "&amp;", "&#91;", "&#93;"))
