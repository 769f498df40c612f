"""Sentence pairs: the forms they come in, what is left out and told, and batches of two sides."""

import gzip
import json

import numpy as np
import pytest

from attnlab.data.corpora.grammar.corpus import Grammar
from attnlab.data.corpora.pairs import Pairs
from attnlab.data.corpora.sick import Sick
from attnlab.data.corpora.snli import Snli
from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.pairs.module import FILE, PairData, words_of
from attnlab.data.pairs.overlap import NAMES, Overlap
from attnlab.data.pairs.rated import RatedPairs
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.errors import ConfigError, DataError
from attnlab.types import PAD

CLASSES = ("contradiction", "entailment", "neutral")
ROWS = [(f"A man number {n} runs", f"A man {'is' if n % 2 else 'is not'} number {n}", CLASSES[n % 3], float(n % 5))
        for n in range(60)]  # fmt: skip


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def snli(rows):
    keys = ("sentence1", "sentence2", "gold_label", "score")
    return "\n".join(json.dumps(dict(zip(keys, row, strict=False))) for row in rows)


def forms(folder):
    """The same rows in every form, with the settings that read them."""
    named = {"premise": "a", "hypothesis": "b", "label": "c", "score": "d"}
    table = ["\t".join("abcd"), *("\t".join(map(str, row)) for row in ROWS)]
    numbers = ["\t".join(map(str, (*row[::-1], "more"))) for row in ROWS]
    places = {"premise": 3, "hypothesis": 2, "label": 1, "score": 0}
    return {
        "jsonl": (write(folder / "a.jsonl.gz", snli(ROWS)), {"score": "score"}),
        "tsv": (write(folder / "a.tsv", "\n".join(table)), named),
        "csv": (write(folder / "a.csv", "\n".join(table).replace("\t", ",")), named),
        "numbers": (write(folder / "b.tsv", "\n".join(numbers)), places),
    }


@pytest.mark.parametrize("form", ["jsonl", "tsv", "csv", "numbers"])
def test_every_form_gives_the_same(tmp_path, form):
    name, settings = forms(tmp_path)[form]
    corpus = Pairs(root=str(tmp_path), train=name, val_size=10, test_size=0.1, **settings)
    found = {split: list(corpus.read(split)) for split in corpus.splits}
    assert {split: len(rows) for split, rows in found.items()} == {"train": 44, "val": 10, "test": 6}
    assert sorted(row for rows in found.values() for row in rows) == sorted(ROWS)
    assert corpus.tells == ("label", "score")


@pytest.mark.parametrize("file", ["a.jsonl", "a.tsv"])
def test_truth_values_are_spelled_as_json_spells_them(tmp_path, file):
    """What is ``true`` in a file is ``true`` in the setting, whatever the file's format."""
    rows = [("x", "y", True), ("y", "z", False), ("z", "x", "true")]
    table = "\n".join(["sentence1\tsentence2\tgold_label", "x\ty\ttrue", "y\tz\tfalse", "z\tx\ttrue"])
    name = write(tmp_path / file, snli(rows) if file == "a.jsonl" else table)
    settings = {"root": str(tmp_path), "train": name, "val_size": 0, "test_size": 0}
    for labels, expected in (
        (None, ["true", "false", "true"]),
        ({True: "follows", False: "not"}, ["follows", "not", "follows"]),
    ):
        assert [row.label for row in Pairs(**settings, labels=labels).read("train")] == expected


def test_snli_as_it_is_released(tmp_path):
    for part, rows in (("train", ROWS[:40]), ("dev", ROWS[40:50]), ("test", ROWS[50:])):
        undecided = (rows[0][0], "Something else", "-", 0.0)
        write(tmp_path / "snli" / f"snli_1.0_{part}.jsonl", snli([*rows, undecided]))
    corpus = Snli(str(tmp_path))
    assert [row[:3] for split in ("train", "val", "test") for row in corpus.read(split)] == [row[:3] for row in ROWS]
    assert any("no gold label" in line for line in corpus.report.lines())


def test_sick_reads_both_labels(tmp_path):
    head = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score"
    lines = [f"{n}\t{a}\t{b}\t{label.upper()}\t{score}" for n, (a, b, label, score) in enumerate(ROWS)]
    write(tmp_path / "sick" / "train.tsv", "\n".join([head, *lines[:50]]))
    write(tmp_path / "sick" / "dev.tsv", "\n".join([head, *lines[50:]]))
    corpus = Sick(str(tmp_path), val_size=5)
    found = {split: list(corpus.read(split)) for split in corpus.splits}
    assert found["test"] == ROWS[50:]
    assert sorted([*found["train"], *found["val"]]) == sorted(ROWS[:50])


def test_real_sick(shared_data):
    corpus = Sick(str(shared_data))
    rows = {split: list(corpus.read(split)) for split in corpus.splits}
    assert len(rows["test"]) == 495
    assert [sum(row.label == name for row in rows["test"]) for name in CLASSES] == [71, 143, 281]  # the README's
    assert all(1 <= row.score <= 5 for part in rows.values() for row in part)


@pytest.mark.parametrize(
    ("file", "text", "settings", "told"),
    [
        ("a.jsonl", '{"a": 1}\n', {}, "no line has the keys 'sentence1' and 'sentence2' and 'gold_label'; one has a"),
        ("a.tsv", "x\ty\nq\tr\n", {}, "no column is called 'sentence1'; the first line has 'x', 'y'"),
        ("a.jsonl", snli([("x", " ", "neutral", 1)]), {}, "nothing shows in the hypothesis"),
        ("a.jsonl", snli([("x", None, "neutral", 1)]), {}, "no hypothesis"),
        ("a.jsonl", snli([("x", "y", None, 1)]), {}, "no label"),
        ("a.jsonl", snli([("x", "y", "neutral", None)]), {"score": "score"}, "no score"),
        ("a.jsonl", snli([("x", "y", "neutral", 10**400)]), {"score": "score"}, "the score is no finite number"),
        ("a.jsonl", '{"premise": "x"}', {}, "Set dataset.premise, dataset.hypothesis, dataset.label"),
        ("a.csv", "premise,b,c\nx,y,z\n", {}, "Set dataset.premise, dataset.hypothesis, dataset.label to the names"),
        ("a.jsonl", snli([(3, "x", "neutral", 1)]), {}, "the premise is a number"),
        ("a.jsonl", snli([("x", "y", ["neutral"], 1)]), {}, "the label is a list"),
        ("a.jsonl", snli([("x", "y", "-", 1)]), {}, "no gold label"),
        ("a.jsonl", snli([("x", "y", "odd", 1)]), {"labels": {"0": "neutral"}}, "a label that is none of 0"),
        ("a.jsonl", snli([("x", "y", "neutral", "much")]), {"score": "score"}, "the score is no finite number"),
        ("a.jsonl", snli([("x", "y", "neutral", True)]), {"score": "score"}, "the score is a truth value"),
        ("a.jsonl", '{"sentence1": "\\ud800", "sentence2": "x", "gold_label": "y"}', {}, "invalid UTF-8"),
        ("a.xml", "x\ty\n", {}, "the end of its name does not say what it is; expected .jsonl"),
        ("a.jsonl", snli([("x", "", "n", 1)]), {"malformed": "error"}, "a.jsonl:1: nothing shows in the hyp.*; mend"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(tmp_path, file, text, settings, told):
    corpus = Pairs(root=str(tmp_path), train=write(tmp_path / file, text), val_size=0, test_size=0, **settings)
    with pytest.raises((DataError, ConfigError), match=told):
        list(corpus.read("train"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "no file is named"),
        ({"train": "a.tsv", "premise": 0}, "expected different columns, all of them names or all numbers"),
        ({"train": "a.tsv", "premise": "sentence2"}, "expected different columns"),
        ({"train": "a.tsv", "labels": {"0": " "}}, "is no name of a class"),
    ],
)
def test_settings_that_cannot_be(tmp_path, settings, told):
    with pytest.raises(ConfigError, match=told):
        Pairs(root=str(tmp_path), **settings)


def data(tmp_path, kind=PairData, **settings):
    name, columns = forms(tmp_path)["tsv"]
    corpus = Pairs(root=str(tmp_path), train=name, val_size=10, test_size=10, **columns)
    made = kind(corpus, lambda language: Whitespace(language, lowercase=True), **settings)
    made.setup()
    return made


def test_a_batch_has_both_sides(tmp_path):
    made = data(tmp_path, ngrams=Ngrams(buckets=50))
    batch = made.batch("val", [3, 0])
    for row, number in enumerate((3, 0)):
        for side, text in zip(batch[:2], made.pair("val", number), strict=True):
            ids = made.tokenizer.encode(text)
            assert side.words[row].tolist() == ids + [PAD] * (side.words.size(1) - len(ids))
            assert side.mask[row].sum() == len(ids)
    assert batch.premise.spelled.places.shape == batch.premise.words.shape
    assert batch.overlap is None
    assert [len(lengths) for lengths in made.lengths("val")] == [10, 10]
    assert made.lengths("val")[1][3] == len(made.pair("val", 3)[1].split())
    card = made.card
    assert card.splits["test"].sides.keys() == {"premise", "hypothesis"}
    assert card.splits["test"].in_train == {"premise": 0, "hypothesis": 0, "both": 0}


def test_training_pairs_are_bounded_by_their_longer_side(tmp_path):
    made = data(tmp_path, max_length=5)
    assert {len(made.pair("train", row)[1].split()) for row in made.training_rows().tolist()} == {5}
    with pytest.raises(DataError, match="none of 40 training texts is left"):
        data(tmp_path, max_length=4)


class Reading:
    """A model that reads features."""

    reads_overlap = True


def test_features_are_those_of_training_and_come_back(tmp_path):
    made = data(tmp_path)
    made.check_model(Reading())
    features, labels = made.training_features()
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-6)
    varied = features.std(0) > 0
    np.testing.assert_allclose(features.std(0)[varied], 1, atol=1e-5)
    assert [made.classes[label] for label in labels] == [row.label for row in made.corpus.read("train")]
    np.testing.assert_array_equal(made.batch("val", [2]).overlap[0].numpy(), made.features("val")[2])
    made.save(tmp_path / "run")
    again = data(tmp_path, tokenizers=str(tmp_path / "run"))
    again.check_model(Reading())
    np.testing.assert_array_equal(again.features("test"), made.features("test"))
    (tmp_path / "run" / FILE).write_text("{}", "utf-8")
    with pytest.raises(DataError, match="no overlap features of a run"):
        Overlap.load(tmp_path / "run" / FILE)


def test_scores_make_a_scale(tmp_path):
    made = data(tmp_path, RatedPairs)
    assert made.scale == (0, 4, 5)
    assert made.dimensions()["classes"] == 5
    assert made.batch("val", [0]).label.tolist() == [next(iter(made.corpus.read("val"))).score]
    made.save(tmp_path / "run")
    assert data(tmp_path, RatedPairs, tokenizers=str(tmp_path / "run")).scale == made.scale


def test_a_corpus_of_something_else_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="grammar has no pairs of premise and hypothesis"):
        PairData(Grammar(), Whitespace)
    name, columns = forms(tmp_path)["tsv"]
    corpus = Pairs(root=str(tmp_path), train=name, **(columns | {"score": None}))
    with pytest.raises(ConfigError, match=r"pairs of pairs have no score, .*task=relatedness .*set dataset.score"):
        RatedPairs(corpus, Whitespace)


def test_overlap_features_are_what_they_say():
    pairs = [(["a", "dog", "runs", "fast"], ["no", "dog", "runs"]), (["a", "cat"], ["a", "cat"])]
    made = Overlap.fit(pairs)
    found = dict(zip(NAMES, (made(pairs) * made.std + made.mean)[0], strict=True))
    idf = {word: np.log(5 / (1 + count)) + 1 for word, count in
           {"a": 3, "dog": 2, "runs": 2, "fast": 1, "no": 1}.items()}  # fmt: skip
    shared = idf["dog"] + idf["runs"]
    expected = {
        "premise_found": 2 / 4, "hypothesis_found": 2 / 3, "jaccard": 2 / 5,
        "premise_found_idf": shared / (shared + idf["a"] + idf["fast"]),
        "hypothesis_found_idf": shared / (shared + idf["no"]),
        "jaccard_idf": shared / sum(idf.values()),
        "premise_bigrams_found": 1 / 3, "hypothesis_bigrams_found": 1 / 2, "common_subsequence": 2 / 4,
        # No trigram is in both of a word that is not there and any other one.
        "premise_spelling": 2 / 4, "hypothesis_spelling": 2 / 3,
        "premise_rarest_missing": idf["fast"], "hypothesis_rarest_missing": idf["no"],
        "longer": -1 / 7, "lengths_differ": 1 / 7,
        "premise_negated": 0, "hypothesis_negated": 1, "one_negated": 1, "both_negated": 0,
        "one_negated_overlap": shared / sum(idf.values()),
    }  # fmt: skip
    assert found == pytest.approx(expected)


def test_words_are_compared_in_lower_case():
    tokenizer = Whitespace("en", lowercase=False)
    assert words_of(tokenizer, ["The Dog", "A dog ."]) == [(["the", "dog"], ["a", "dog", "."])]
