"""Documents from JSON lines, and texts that are cut into sentences: what is read, what is left out, what is told."""

import gzip
import json
from collections import Counter

import pytest

from attnlab.data.corpora.documents import Documents
from attnlab.data.corpora.movie_reviews import MovieReviews
from attnlab.data.corpora.movie_reviews import reviews as reviews_of
from attnlab.data.documents.sentences import split
from attnlab.data.reading import Faults
from attnlab.errors import ConfigError, DataError

GOOD = {"label": "good", "sentences": ["one two .", "three ."]}


def corpus(tmp_path, *lines, **settings):
    file = tmp_path / "my.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return Documents(root=str(tmp_path), **({"train": str(file), "val_size": 0, "test_size": 0} | settings))


def test_sentences_as_they_come_and_texts_by_the_rule(tmp_path):
    rows = [GOOD, {"label": 3, "text": "Mr. Smith came. He\nleft (at 3.5)!\n\nno end"}, {**GOOD, "text": "not. read."}]
    found = list(corpus(tmp_path, *rows).read("train"))
    assert [(row.text.split("\n"), row.label) for row in found] == [
        (["one two .", "three ."], "good"),
        (["Mr. Smith came.", "He left (at 3.5)!", "no end"], "3"),
        (["one two .", "three ."], "good"),
    ]


def test_labels_have_names(tmp_path):
    rows = [{"label": 3, "text": "one."}, {"label": True, "text": "two."}]
    found = corpus(tmp_path, *rows, labels={3: "bad", True: "good"}).read("train")
    assert [row.label for row in found] == ["bad", "good"]
    with pytest.raises(ConfigError, match=r"dataset.labels: ' ' is no name of a class"):
        corpus(tmp_path, *rows, labels={3: " "})


def test_a_sentence_is_cleaned_and_one_where_nothing_shows_is_none(tmp_path):
    row = {"label": "a", "sentences": [" e\u0301\u00a0b\nc ", "\u200b", "", "d"]}
    (found,) = corpus(tmp_path, row).read("train")
    assert found.text == "\u00e9 b c\nd"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ('He said "no." She left. e.g. this', "en", ['He said "no."', "She left.", "e.g. this"]),
        ("Das war am 3. Mai z.B. gut. Ja!", "de", ["Das war am 3. Mai z.B. gut.", "Ja!"]),
        ("one\ntwo\n\n\nthree", "en", ["one two", "three"]),
        ("", "en", []),
        (" \n\n \u200b ", "en", []),
        ("…", "en", ["…"]),
    ],
)
def test_the_rule(text, language, expected):
    assert split(text, language) == expected


def test_a_language_without_rules():
    with pytest.raises(ConfigError, match=r"data.language=qq: spaCy has no rules for it"):
        split("a b", "qq")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"label": "a", "sentences": []}, "nothing shows in the document"),
        ({"label": "a", "sentences": ["", " "]}, "nothing shows in the document"),
        ({"label": "a", "text": ""}, "nothing shows in the document"),
        ({"label": "a", "sentences": "one"}, "sentences is a text, expected a list of texts"),
        ({"label": "a", "sentences": ["one", 2]}, "sentences has a number, expected texts"),
        ({"label": "a", "sentences": None}, "sentences is null, expected a list of texts"),
        ({"label": "a", "text": ["one"]}, "text is a list, expected a text"),
        ({"label": None, "sentences": ["one"]}, "no label"),
        ({"label": ["a"], "sentences": ["one"]}, "the label is a list"),
        ({"label": "a"}, "no sentences or text"),
        ({"sentences": ["one"]}, "no label"),
        ({"label": "a", "sentences": ["a\0b"]}, "a NUL character"),
        ({"label": "a", "text": "a\0b"}, "a NUL character"),
        ('{"label": "a", "sentences": ["a \\ud800"]}', "invalid UTF-8"),
        ("[1]", "a list, expected an object with keys"),
        ("{", "no JSON"),
    ],
)
def test_what_is_wrong_with_a_line(tmp_path, line, told):
    with pytest.raises(DataError, match=rf"my.jsonl:2: ({told})"):
        list(corpus(tmp_path, GOOD, line, malformed="error").read("train"))
    skipping = corpus(tmp_path, GOOD, line)
    assert len(list(skipping.read("train"))) == 1
    assert skipping.report.total("train") == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"train": None}, "no file is named; set dataset.train"),
        ({"label": "text"}, "sentences, text, text; expected different keys"),
        ({"fold": 1}, "expected two folds or more"),
    ],
)
def test_settings(tmp_path, settings, told):
    with pytest.raises(ConfigError, match=told):
        corpus(tmp_path, GOOD, **settings)


def test_no_line_has_the_keys(tmp_path):
    told = "no line has the keys 'sentences' or 'text' and 'label'; one has a. Set dataset.sentences, dataset.text"
    with pytest.raises(DataError, match=told):
        list(corpus(tmp_path, {"a": 1}).read("train"))


def reviews(folder, numbers):
    """A file in the form of the movie reviews; each has a text of its own."""
    rows = [
        {"id": f"cv{number:03d}_1", "label": label, "sentences": [f"{label} {number} ."]}
        for number in numbers
        for label in ("neg", "pos")
    ]
    path = folder / "movie_reviews" / "folds1-9.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


def numbers_of(rows):
    return {int(row.text.split()[1]) for row in rows}


def test_folds_are_those_of_the_numbers(tmp_path):
    reviews(tmp_path, range(0, 900, 20))
    for fold in (0, 8):
        found = MovieReviews(root=str(tmp_path), folds=9, fold=fold, val_size=10)
        tested, trained = list(found.read("test")), list(found.read("train"))
        assert numbers_of(tested) == {number for number in range(0, 900, 20) if number // 100 == fold}
        assert len(tested) == 10
        assert len(trained) == 70
        assert {row.label for row in tested} == {"negative", "positive"}
        assert not numbers_of(list(found.read("val"))) & numbers_of(tested)
    drawn = MovieReviews(root=str(tmp_path), folds=3, fold=0, val_size=0)
    assert len({number // 100 for number in numbers_of(list(drawn.read("test")))}) > 3


def test_a_review_without_a_number(tmp_path):
    reviews(tmp_path, range(3))
    path = tmp_path / "movie_reviews" / "folds1-9.jsonl.gz"
    rows = gzip.decompress(path.read_bytes()) + b'\n{"id": "x", "label": "pos", "sentences": ["a"]}'
    path.write_bytes(gzip.compress(rows))
    with pytest.raises(DataError, match="no id such as cv000_29416"):
        list(MovieReviews(root=str(tmp_path), val_size=0, test_size=0, malformed="error").read("train"))


def test_all_of_the_reviews(shared_data):
    """As their data sheet has it, and as a plain loop reads the file."""
    path = shared_data / "movie_reviews" / "folds1-9.jsonl.gz"
    if not path.exists():
        pytest.skip("no movie reviews here")
    controls = dict.fromkeys([*range(32), *range(127, 160)], " ")  # some reviews have them for an apostrophe
    expected = []
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        sentences = [sentence.translate(controls).strip() for sentence in row["sentences"]]
        expected.append(("\n".join(sentences), {"neg": "negative", "pos": "positive"}[row["label"]], int(row["id"][2])))
    corpus = MovieReviews(root=str(shared_data), folds=9, fold=4)
    read = list(reviews_of(path, Faults("error", corpus.report, "train")))
    assert read == expected
    assert Counter((part, label) for _, label, part in read) == {
        (part, label): 100 for part in range(9) for label in ("negative", "positive")
    }
    assert max(text.count("\n") + 1 for text, *_ in read) == 112
