"""newstest: cut in document order, with the further references of some sentences."""

import gzip
import io
import tarfile

import pytest

from attnlab.data import download
from attnlab.data.corpora import newstest
from attnlab.data.corpora.newstest import Newstest
from attnlab.data.corpus import Corpus
from attnlab.types import ConfigError, DataError

THREE = ("train", "val", "test")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "newstest"
    folder.mkdir()
    for code in ("de", "en"):
        (folder / f"newstest2014_first1000.{code}").write_text("".join(f"{code} {i}\n" for i in range(10)))
    rows = [
        "S-3\ten 1",
        "T-3\tde 1",
        *(f"R{k}-3\tanders {k}" for k in range(1, 11)),
        "S-9\telsewhere",
        "R1-9\tanderswo",
    ]
    (folder / "wmt14_en-de.extra_refs.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    return tmp_path


def make(root, **settings):
    return Newstest(str(root), **({"val_size": 2, "test_size": 5, "download": False} | settings))


def test_splits_in_document_order(root):
    corpus = make(root)
    assert isinstance(corpus, Corpus)
    numbers = {split: [int(pair.source[3:]) for pair in corpus.read(split)] for split in THREE}
    assert numbers == {"test": [0, 1, 2, 3, 4], "val": [5, 6], "train": [7, 8, 9]}
    assert make(root, source_language="de", target_language="en").read("val").__next__()[:2] == (
        "de 5",
        "en 5",
    )
    assert len({make(root, **s).fingerprint() for s in ({}, {"val_size": 1}, {"test_size": 4})}) == 3


def test_all_of_it_as_a_test_set(root):
    corpus = make(root, test_size=10, val_size=0)
    assert len(list(corpus.read("test"))) == 10
    for split in ("val", "train"):
        with pytest.raises(DataError, match=f"split '{split}' has no sentence pair: none was left"):
            list(corpus.read(split))


def test_further_references(root):
    corpus = make(root)
    assert list(corpus.references("test")) == [(), tuple(f"anders {k}" for k in range(1, 11)), (), (), ()]
    with pytest.raises(DataError, match="source_language=en, target_language=de only"):
        make(root, source_language="de", target_language="en").references("test")
    (root / "newstest" / "wmt14_en-de.extra_refs.gz").write_bytes(b"S-1\tfine\nnonsense\n")
    with pytest.raises(DataError, match=r"extra_refs\.gz:2: expected KIND-NUMBER"):
        corpus.references("test")


def test_impossible_settings(root):
    with pytest.raises(ConfigError, match="val_size=-1, test_size=5: expected 0 or more"):
        make(root, val_size=-1)
    with pytest.raises(ConfigError, match="are both 'en'"):
        make(root, target_language="en")


def test_faults(root):
    path = root / "newstest" / "newstest2014_first1000.de"
    path.write_text(path.read_text().replace("de 1\n", "\n"))
    corpus = make(root)
    assert [pair.source for pair in corpus.read("test")] == ["en 0", "en 2", "en 3", "en 4", "en 5"]
    assert corpus.report.skipped["test"] == {"empty side": 1}
    with pytest.raises(DataError, match=r"first1000\.de:2: empty side"):
        list(make(root, malformed="error").read("test"))


def test_the_public_archive_becomes_plain_lines(tmp_path, monkeypatch):
    """What is fetched is SGML, in which sacreBLEU reads the text between the seg tags."""
    source = tmp_path / "loaded.tgz"
    with tarfile.open(source, "w:gz") as archive:
        for member in newstest._ARCHIVE.members:
            body = "".join(f'<seg id="{i}"> Text &amp; {member.name} {i}</seg>\n' for i in range(1100))
            data = f'<srcset><doc docid="x"><p>\n{body}</p></doc></srcset>'.encode()
            info = tarfile.TarInfo(member.path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

    def fetch(remote, folder, name):
        folder.mkdir()
        for member in remote.members:
            download._extract(source, member, folder)

    monkeypatch.setattr(download, "fetch", fetch)
    corpus = Newstest(str(tmp_path), val_size=0, test_size=1000)
    pairs = list(corpus.read("test"))
    assert len(pairs) == 1000
    assert pairs[999][:2] == (
        "Text & newstest2014_first1000.en 999",
        "Text & newstest2014_first1000.de 999",
    )


def test_the_real_files(shared_data):
    corpus = Newstest(str(shared_data), val_size=0, test_size=1000, malformed="error", download=False)
    assert len(list(corpus.read("test"))) == 1_000
    further = list(corpus.references("test"))
    assert sum(map(bool, further)) == 157  # of the 500 sentences with further references (data sheet)
    assert {len(texts) for texts in further} == {0, 10}
