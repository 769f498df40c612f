"""Labelled sets of the ``datasets`` library: a stand-in with the same face."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from attnlab.data.corpora.huggingface_labelled import HuggingfaceLabelled
from attnlab.errors import DataError


class Table(list):
    def __init__(self, rows, names=None):
        super().__init__(rows)
        self.cache_files = []
        self.features = {"label": SimpleNamespace(names=names)} if names else {}


@pytest.fixture
def fake(monkeypatch):
    module = ModuleType("datasets")
    module.sets = {
        "news": {
            "train": Table(({"text": f"news {n}", "label": n % 2} for n in range(40)), ["World", "Sports"]),
            "test": Table(({"text": f"other {n}", "label": n % 2} for n in range(6)), ["World", "Sports"]),
        },
        "plain": {"train": Table({"review": f"r {n}", "stars": float(n % 3)} for n in range(30))},
        "holes": {
            "train": Table(
                [
                    {"text": text, "label": label}
                    for text, label in [
                        ("a", 0),
                        (None, 1),
                        ("b", None),
                        ("c", -1),
                        (" ", 1),
                        ("d", 9),
                        ("e", [1]),
                        ("f", 1),
                    ]
                ],
                ["no", "yes"],
            )
        },
    }
    module.load_dataset = lambda path, name=None, *, split, **_: module.sets[path][split]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


def test_classes_have_their_names(fake):
    corpus = HuggingfaceLabelled("news", val_split=None, val_size=8)
    found = {split: list(corpus.read(split)) for split in corpus.splits}
    assert {split: len(rows) for split, rows in found.items()} == {"train": 32, "val": 8, "test": 6}
    assert {row.label for rows in found.values() for row in rows} == {"World", "Sports"}
    assert found["test"][1] == ("other 1", "Sports")
    assert corpus.fingerprint() == HuggingfaceLabelled("news", val_split=None, val_size=8).fingerprint()
    fake.sets["news"]["train"][3]["label"] = 0
    assert corpus.fingerprint() != HuggingfaceLabelled("news", val_split=None, val_size=7).fingerprint()


def test_other_columns(fake):
    corpus = HuggingfaceLabelled("plain", "review", "stars", val_split=None, test_split=None, val_size=3, test_size=3)
    assert {row.label for row in corpus.read("train")} == {"0.0", "1.0", "2.0"}
    with pytest.raises(DataError, match=r"no columns 'text' and 'label'; there is review, stars. Set dataset.text"):
        list(HuggingfaceLabelled("plain", val_split=None, test_split=None).read("train"))


def test_what_has_no_text_or_no_label_is_counted(fake):
    corpus = HuggingfaceLabelled("holes", val_split=None, test_split=None, val_size=0, test_size=0)
    assert list(corpus.read("train")) == [("a", "no"), ("f", "yes")]
    assert corpus.report.total("train") == 6
