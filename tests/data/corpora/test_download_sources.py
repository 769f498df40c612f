"""Each corpus asks for the right file of its source, with the checksum of the file we know."""

import gzip
import hashlib

import pytest

from attnlab.data import download
from attnlab.data.corpora.europarl import Europarl
from attnlab.data.corpora.iwslt14 import Iwslt14
from attnlab.data.corpora.multi30k import Multi30k
from attnlab.data.corpora.newstest import Newstest
from attnlab.data.corpora.tanaka import Tanaka
from attnlab.data.corpora.tatoeba import Tatoeba
from attnlab.types import DataError


@pytest.fixture
def asked(monkeypatch):
    """What ``fetch`` was asked for; it then fails as a server would that has nothing."""
    calls = []

    def fetch(remote, folder, name):
        calls.append((remote, folder.name, name))
        raise OSError("no such page")

    monkeypatch.setattr(download, "fetch", fetch)
    return calls


def first(asked, corpus, split="train"):
    with pytest.raises(DataError, match=r"downloading failed \(no such page\); put it there \(source: .*ATTNLAB_DATA"):
        list(corpus.read(split))
    return asked[0]


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("code", ["en", "de", "fr", "cs"])
def test_multi30k(asked, tmp_path, shared_data, split, code):
    remote, folder, name = first(asked, Multi30k(str(tmp_path), code, "en" if code != "en" else "de"), split)
    stem = {"test": "test_2016_flickr"}.get(split, split)
    assert remote.url == f"https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/{stem}.{code}.gz"
    assert (folder, name, remote.members) == ("multi30k", f"{stem}.{code}", ())
    content = (shared_data / "multi30k" / f"{stem}.{code}.gz").read_bytes()
    assert remote.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("code", ["en", "ja"])
def test_tanaka(asked, tmp_path, shared_data, split, code):
    remote, folder, name = first(asked, Tanaka(str(tmp_path), code, "ja" if code == "en" else "en", test_size=0), split)
    assert remote.url == f"https://raw.githubusercontent.com/odashi/small_parallel_enja/master/{name}"
    assert folder == "tanaka_enja"
    content = gzip.decompress((shared_data / "tanaka_enja" / f"{name}.gz").read_bytes())
    assert remote.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize(("language", "code"), [("de", "deu"), ("fr", "fra"), ("zh", "cmn")])
def test_tatoeba_has_no_checksum_as_its_content_changes(asked, tmp_path, language, code):
    remote, folder, name = first(asked, Tatoeba(str(tmp_path), language, "en"))
    assert remote.url == f"https://www.manythings.org/anki/{code}-eng.zip"
    assert remote.digest is None
    assert (folder, name) == ("tatoeba", f"{code}.txt")
    assert [(member.path, member.name) for member in remote.members] == [(f"{code}.txt", f"{code}.txt")]


def test_europarl_takes_both_files_of_one_archive(asked, tmp_path):
    remote, folder, name = first(asked, Europarl(str(tmp_path)))
    assert remote.url.endswith("/wmt13/training-parallel-europarl-v7.tgz")
    assert remote.digest is not None
    assert (folder, name) == ("europarl_deen", "train.de")
    assert {member.path: member.name for member in remote.members} == {
        "training/europarl-v7.de-en.de": "train.de",
        "training/europarl-v7.de-en.en": "train.en",
    }


def test_newstest_agrees_with_sacrebleu(asked, tmp_path):
    from sacrebleu.dataset import DATASETS

    remote, folder, name = first(asked, Newstest(str(tmp_path)))
    known = DATASETS["wmt14/full"]
    assert [remote.url] == known.data
    assert [remote.digest] == [f"md5:{digest}" for digest in known.md5]
    assert [member.path for member in remote.members] == known.langpairs["de-en"]
    assert (folder, name) == ("newstest", "newstest2014_first1000.en")


def test_iwslt14_is_not_fetched(asked, tmp_path):
    with pytest.raises(DataError, match="not offered for download in this form"):
        list(Iwslt14(str(tmp_path)).read("train"))
    assert asked == []
