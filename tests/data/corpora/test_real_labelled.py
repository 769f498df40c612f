"""The labelled data sets of others are read as their data sheet and a plain loop have them, line by line.

Files of the same layouts, written by hand, are read in tests/data/labelled; these are the public ones, where they lie.
"""

import csv
import gzip
from collections import Counter

import pytest

from attnlab.data.corpora.agnews import Agnews
from attnlab.data.corpora.sst import Sst
from attnlab.data.corpora.sst2_phrases import Sst2Phrases
from attnlab.data.corpora.sst_fine import SstFine
from attnlab.data.corpora.trec import Trec
from attnlab.data.corpus import Report

FIVE = ("very negative", "negative", "neutral", "positive", "very positive")
# Rows of each class of the training file, from the data sheet.
TRAIN = {
    "sst": (Sst, {}, {"negative": 3_310, "positive": 3_610}),
    "sst_fine": (SstFine, {}, dict(zip(FIVE, (1_092, 2_218, 1_624, 2_322, 1_288), strict=True))),
    "trec": (Trec, {}, {"ENTY": 1_250, "HUM": 1_223, "DESC": 1_162, "NUM": 896, "LOC": 835, "ABBR": 86}),
    "agnews": (
        Agnews, {"unescape": False}, {"Sci/Tech": 2_538, "World": 2_509, "Business": 2_496, "Sports": 2_458},
    ),
}  # fmt: skip
TESTED = {"sst": {"negative": 428, "positive": 444}}


@pytest.fixture(autouse=True)
def _there(shared_data):
    for folder in ("sst", "trec", "agnews"):
        if not (shared_data / folder).is_dir():
            pytest.skip(f"no {folder} in {shared_data}")


def of_file(corpus, split):
    """Every example of the file of a split, before anything is held out."""
    return list(corpus._stream(split, Report(), split))


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return file.read().split("\n")[:-1]


def plainly(name, root):
    """The label, as it is written, and the words of each row of a training file."""
    if name == "agnews":
        rows = csv.reader(lines(root / "agnews" / "train.tsv.gz"), delimiter="\t")
        return [(label, text.split()) for text, label in rows]
    file = {"sst": "sst/binary.train", "sst_fine": "sst/fine.train", "trec": "trec/train"}[name]
    rows = (line.partition(" ") for line in lines(root / f"{file}.txt.gz"))
    return [(label.partition(":")[0], text.replace("\\/", "/").replace("\\*", "*").split()) for label, _, text in rows]


@pytest.mark.parametrize("name", TRAIN)
def test_every_row_of_the_training_file(shared_data, name):
    kind, settings, classes = TRAIN[name]
    found = of_file(kind(str(shared_data), malformed="error", **settings), "train")
    assert Counter(item.label for item in found) == classes
    rows = plainly(name, shared_data)
    assert [item.text.split() for item in found] == [words for _, words in rows]
    written = dict(zip((label for label, _ in rows), (item.label for item in found), strict=True))
    assert [item.label for item in found] == [written[label] for label, _ in rows]
    if name == "sst_fine":
        assert written == dict(zip("01234", FIVE, strict=True))
    elif name == "sst":
        assert written == {"0": "negative", "1": "positive"}
    else:
        assert all(label == given for given, label in written.items())


@pytest.mark.parametrize(("kind", "rows"), [(Sst, 872), (SstFine, 1_101), (Sst2Phrases, 872)])
def test_dev_is_what_is_tested(shared_data, kind, rows):
    found = of_file(kind(str(shared_data), malformed="error"), "test")
    assert len(found) == rows
    if rows == 872:
        assert Counter(item.label for item in found) == TESTED["sst"]


@pytest.mark.long
def test_phrases(shared_data):
    """All but those of held-out sentences alone; the data sheet has 26,786 negative and 33,828 positive ones."""
    corpus = Sst2Phrases(str(shared_data), malformed="error")
    report = Report()
    kept = Counter(item.label for item in corpus._phrases(report, "train"))
    left_out = report.skipped["train"]
    assert set(left_out) == {"phrase of a sentence of val"}
    assert kept.total() + left_out.total() == 60_614
    assert 0 < 26_786 - kept["negative"] <= left_out.total()
    assert 0 < 33_828 - kept["positive"] <= left_out.total()


def test_fine_questions(shared_data):
    found = of_file(Trec(str(shared_data), classes="fine", malformed="error"), "train")
    assert (len(found), len({item.label for item in found})) == (5_452, 50)
