"""Labelled texts: the forms they come in, what is left out and told, and splits that share no text."""

import gzip
import json
import logging

import numpy as np
import pytest

from attnlab.data.corpora.agnews import Agnews, unescaped
from attnlab.data.corpora.labelled import Labelled
from attnlab.data.corpora.sst import Sst
from attnlab.data.corpora.sst2_phrases import Sst2Phrases
from attnlab.data.corpora.sst_fine import SstFine
from attnlab.data.corpora.trec import Trec
from attnlab.data.labelled.module import LabelledData
from attnlab.data.labelled.ngrams import Ngrams
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.data.tokenizers.word import Word
from attnlab.errors import ConfigError, DataError
from attnlab.types import NO_SENTENCE, PAD, UNK

ROWS = [(f"text number {n} , with words", "good" if n % 3 else "bad") for n in range(60)]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def forms(folder):
    """The same rows in every form, with the settings that read them."""
    quoted = "\n".join(f'"{text}",{label}' for text, label in ROWS)
    return {
        "prefixed": (write(folder / "a.txt", "\n".join(f"{label} {text}" for text, label in ROWS)), {}),
        "tsv": (write(folder / "a.tsv.gz", "text\tlabel\n" + "\n".join("\t".join(row) for row in ROWS)), {}),
        "numbers": (write(folder / "b.tsv", "\n".join(f"{label}\tx\t{text}" for text, label in ROWS)),
                    {"columns": [2, 0]}),
        "csv": (write(folder / "a.csv", f"text,label\n{quoted}\n"), {}),
        "jsonl": (write(folder / "a.jsonl", "\n".join(json.dumps({"t": text, "y": label}) for text, label in ROWS)),
                  {"columns": ["t", "y"]}),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["prefixed", "tsv", "numbers", "csv", "jsonl"])
def test_every_form_gives_the_same(tmp_path, form):
    name, settings = forms(tmp_path)[form]
    corpus = Labelled(root=str(tmp_path), train=name, val_size=10, test_size=0.1, **settings)
    found = {split: list(corpus.read(split)) for split in corpus.splits}
    assert {split: len(rows) for split, rows in found.items()} == {"train": 44, "val": 10, "test": 6}
    assert sorted(row for rows in found.values() for row in rows) == sorted(ROWS)


def test_quotes_within_quotes_and_lines_within_fields(tmp_path):
    name = write(tmp_path / "a.csv", 'text,label\n"he said ""no"", twice",a\n"two\nlines",b\nplain,a\n')
    rows = list(Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0).read("train"))
    assert [row.text for row in rows] == ['he said "no", twice', "two lines", "plain"]


@pytest.mark.parametrize(
    ("file", "text", "settings", "told"),
    [
        ("a.csv", 'text,label\n"no end,a\nb,a\n', {}, r"a.csv:\d+: no row of quoted fields"),
        ("a.tsv", "review\tstars\ngood\t5\n", {}, "no column is called 'text'; the first line has 'review', 'stars'"),
        ("a.tsv", "good 5\nbad 1\n", {"columns": [0, 1]}, "no line has column 1 .counted from 0."),
        ("a.jsonl", '{"a": 1}\n[1]\n', {}, "no line has the keys 'text' and 'label'; one has a"),
        ("a.xlsx", "a\tb\n", {}, "the end of its name does not say what it is; expected .txt, .tsv"),
        ("a.txt", "good\ngood\n", {}, "split 'train' has no example: .*nothing shows in the text"),
        ("a.tsv", "text\tlabel\nx\tz\n", {"labels": {"0": "bad"}}, "a label that is none of 0"),
        ("a.tsv", "", {}, "the file is empty"),
        ("a.tsv", "\n\n", {}, "a.tsv: nothing but empty lines"),
        ("a.tsv", "text\tlabel\n", {}, "a first line with the names of columns, and no example behind it"),
        ("a.csv", "text,label\n\n", {}, "a first line with the names of columns, and no example behind it"),
        (
            "a.txt",
            "I loved it\tpos\nawful film\tneg\n",
            {},
            "its lines have tabs, .* set dataset.format=tsv and dataset.columns",
        ),
        ("a.jsonl", '{"text": "x"}\n', {}, "split 'train' has no example|no line has the keys .*; one has text"),
        ("a.jsonl", '3\n"x"\n', {}, "no line has the keys 'text' and 'label'; one has a number. "),
        ("a.jsonl", '{"text": "x", "label": NaN}\n', {}, "no label .first: .*a.jsonl:1"),
        ("a.jsonl", '{"text": "x", "label": Infinity}\n', {}, "the label is infinite"),
        ("a.jsonl", '{"text": null, "label": 1}\n', {}, "no text .first: "),
        ("a.jsonl", '{"text": 3, "label": 1}\n', {}, "the text is a number"),
        ("a.jsonl", '{"text": "x", "label": [1]}\n', {}, "the label is a list"),
        ("a.jsonl", '{"text": "x", "label": 1}\n{"text": "y"}\n', {"malformed": "error"}, "a.jsonl:2: no label; mend"),
        ("a.tsv", "text\tlabel\n".encode("utf-16"), {}, "UTF-16"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, file, text, settings, told):
    corpus = Labelled(root=str(tmp_path), train=write(tmp_path / file, text), val_size=0, test_size=0, **settings)
    with pytest.raises((DataError, ConfigError), match=told):
        list(corpus.read("train"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "no file is named"),
        ({"train": "a.tsv", "columns": [0]}, "two names"),
        ({"train": "a.tsv", "columns": ["a", 1]}, "two names"),
        ({"train": "a.tsv", "fold": 1}, "expected two folds or more"),
        ({"train": "a.tsv", "fold": 3, "folds": 3}, "expected two folds or more"),
        ({"test": "a.tsv", "fold": 0, "folds": 3}, "no training file to cut into folds"),
        ({"train": "a.tsv", "val_size": 1.5}, "val_size=1.5"),
    ],
)
def test_settings_that_cannot_be(tmp_path, settings, told):
    with pytest.raises(ConfigError, match=told):
        Labelled(root=str(tmp_path), **settings)


def test_what_is_left_out_is_counted(tmp_path):
    lines = ["text\tlabel", "fine\ta", "\ta", "no label\t", "short", "z\u200bz\tb", "\u200b\tb", "\ud7ff\tb"]
    name = write(tmp_path / "a.tsv", "\n".join(lines).encode() + b"\nbro\xffken\ta\n")
    corpus = Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0)
    assert len(list(corpus.read("train"))) == 3
    assert corpus.report.total("train") == 5
    assert "invalid UTF-8" in str(corpus.report)
    with pytest.raises(DataError, match=r"a.tsv:3: nothing shows in the text"):
        list(Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0, malformed="error").read("train"))


def test_tabs_in_texts_with_a_label_in_front(tmp_path):
    name = write(tmp_path / "a.txt", "good a\ttab\nbad none\n")
    rows = list(Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0).read("train"))
    assert [row.label for row in rows] == ["good", "bad"]
    every = write(tmp_path / "b.txt", "good a\ttab\nbad b\ttab\n")
    said = Labelled(root=str(tmp_path), train=every, val_size=0, test_size=0, format="prefixed")
    assert [row.label for row in said.read("train")] == ["good", "bad"]


def test_more_to_hold_out_than_the_other_folds_have(tmp_path):
    name, _ = forms(tmp_path)["tsv"]
    corpus = Labelled(root=str(tmp_path), train=name, val_size=59, fold=0, folds=2)
    with pytest.raises(DataError, match=r"59 examples to hold out for val, but without fold 0 of 2 there are only \d+"):
        list(corpus.read("train"))


@pytest.mark.parametrize("value", [True, 3, 2.5, "3"])
def test_labels_of_json(tmp_path, value):
    name = write(tmp_path / "a.jsonl", json.dumps({"text": "x", "label": value}))
    (row,) = Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0).read("train")
    assert row.label == json.dumps(value).strip('"')


def test_no_text_is_in_two_splits_whatever_its_label(tmp_path):
    rows = [(f"t{n % 20}", "ab"[n % 2]) for n in range(200)] + [(f"t{n}", "c") for n in range(20)]
    name = write(tmp_path / "a.tsv", "text\tlabel\n" + "\n".join("\t".join(row) for row in rows))
    corpus = Labelled(root=str(tmp_path), train=name, val_size=5, test_size=5)
    texts = {split: {row.text for row in corpus.read(split)} for split in corpus.splits}
    assert not texts["train"] & (texts["val"] | texts["test"])
    assert not texts["val"] & texts["test"]


def test_folds_are_all_of_it_once(tmp_path):
    name, _ = forms(tmp_path)["tsv"]
    corpora = [Labelled(root=str(tmp_path), train=name, val_size=5, fold=fold, folds=4) for fold in range(4)]
    tested = [row for corpus in corpora for row in corpus.read("test")]
    assert sorted(tested) == sorted(ROWS)
    for corpus in corpora:
        parts = [list(corpus.read(split)) for split in corpus.splits]
        assert sum(map(len, parts)) == len(ROWS)
        assert len(parts[1]) == 5
    assert len({corpus.fingerprint() for corpus in corpora}) == 4


@pytest.fixture
def treebank(tmp_path):
    folder = tmp_path / "sst"
    sentences = [f"{n % 2} the film number {n} was {'good' if n % 2 else 'dull'}" for n in range(40)]
    write(folder / "binary.train.txt.gz", "\n".join(sentences))
    write(folder / "binary.dev.txt", "0 a dull one\n1 a good one\n")
    write(folder / "fine.train.txt", "\n".join(f"{n % 5} sentence {n}" for n in range(30)))
    write(folder / "fine.dev.txt", "4 best\n0 worst\n")
    phrases = ["was good\t1", "was dull\t0", *(f"film number {n} \t{n % 2}" for n in range(40))]
    write(folder / "sst2_phrases.train.tsv.gz", "sentence\tlabel\n" + "\n".join(phrases))
    return tmp_path


def test_dev_is_the_test_until_there_is_one(treebank):
    corpus = Sst(root=str(treebank), val_size=4)
    assert corpus.splits == ("train", "val", "test")
    assert [row.label for row in corpus.read("test")] == ["negative", "positive"]
    write(treebank / "sst" / "binary.test.txt", "1 the final word\n")
    corpus = Sst(root=str(treebank), val_size=4)
    assert corpus.splits == ("train", "val", "test", "test_dev")
    assert [row.text for row in corpus.read("test")] == ["the final word"]
    assert len(list(corpus.read("test_dev"))) == 2
    assert len(list(corpus.read("val"))) == 4
    assert len(list(corpus.read("train"))) == 36


def test_five_classes(treebank):
    assert [row.label for row in SstFine(root=str(treebank)).read("test")] == ["very positive", "very negative"]


def test_phrases_of_held_out_sentences_are_left_out(treebank):
    corpus = Sst2Phrases(root=str(treebank), val_size=10)
    val, train = list(corpus.read("val")), {row.text for row in corpus.read("train")}
    assert len(val) == 10
    held = {row.text.split()[3] for row in val}
    assert train == {"was good", "was dull"} | {f"film number {n}" for n in range(40) if str(n) not in held}


def test_questions(tmp_path):
    write(tmp_path / "trec" / "train.txt", "\n".join(f"HUM:{['ind', 'gr'][n % 2]} Who is {n} ?" for n in range(30)))
    assert {row.label for row in Trec(root=str(tmp_path)).read("train")} == {"HUM"}
    assert {row.label for row in Trec(root=str(tmp_path), classes="fine").read("train")} == {"HUM:ind", "HUM:gr"}


def test_news_without_escapes(tmp_path):
    assert (
        unescaped("It #39;s over. &lt;A HREF=&quot;x&quot;&gt;AP&lt;/A&gt; \\$5 &amp; more")
        == "It 's over.  AP   $5 & more"
    )
    lines = [f'"He said ""{n}"" #39;s"\tWorld' for n in range(20)] + [f"b{n} < 3\tSports" for n in range(20)]
    write(tmp_path / "agnews" / "train.tsv.gz", "\n".join(lines))
    texts = {row.text for row in Agnews(root=str(tmp_path), val_size=0, test_size=1).read("train")}
    assert len(texts & {f'He said "{n}" \'s' for n in range(20)} | texts & {f"b{n} < 3" for n in range(20)}) == 39


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"missing file .*sst/binary.train.txt\[.gz\]; get it from github.com"):
        list(Sst(root=str(tmp_path)).read("train"))


def data(tmp_path, **settings):
    name, _ = forms(tmp_path)["tsv"]
    corpus = Labelled(root=str(tmp_path), train=name, val_size=10, test_size=10)
    built = LabelledData(corpus, Whitespace, **settings)
    built.setup()
    return built


def test_batches(tmp_path):
    built = data(tmp_path)
    assert built.classes == ["bad", "good"]
    assert built.dimensions()["classes"] == 2
    batch = built.batch("test", [3, 0, 5])
    assert batch.index.tolist() == [3, 0, 5]
    for row, number in enumerate(batch.index.tolist()):
        ids = batch.words[row][batch.mask[row]].tolist()
        known = zip(built.tokenizer.tokens(ids), built.text("test", number).split(), strict=True)
        assert all(token in (word, "<unk>") for token, word in known)
    assert (batch.words[~batch.mask] == PAD).all()
    seen = [number for batch in built.train_dataloader() for number in batch.index.tolist()]
    assert sorted(seen) == list(range(40))
    assert built.class_counts().sum() == 40


def test_training_texts_can_be_fewer_and_shorter(tmp_path, caplog):
    assert data(tmp_path, train_size=7).size("train") == 7
    with pytest.raises(DataError, match=r"raise data.max_length=2"):
        data(tmp_path, max_length=2)


def test_only_texts_that_are_used_are_learnt_from(tmp_path):
    """Words and classes of a smaller training split are those of its texts."""
    for settings in ({"train_size": 7}, {"max_length": 5}):
        name = write(tmp_path / "own.tsv", "text\tlabel\n" + "\n".join(
            f"common {'w ' * (n % 3)}own{n}\t{('good', 'bad')[n % 2]}" for n in range(40)))  # fmt: skip
        built = LabelledData(
            Labelled(root=str(tmp_path), train=name, val_size=0.2, test_size=0.1), Whitespace, **settings
        )
        built.setup()
        words = [word for row in built.training_rows() for word in built.text("train", int(row)).split()]
        assert len(built.training_rows()) < 28 or "max_length" in settings
        assert set(built.tokenizer.tokens(range(4, len(built.tokenizer)))) == set(words)
    strict = LabelledData(
        Labelled(root=str(tmp_path), train=name, val_size=0.2, test_size=0.1), Whitespace, max_length=2
    )
    strict.setup()
    assert "w" not in strict.tokenizer.tokens(range(len(strict.tokenizer)))


def test_a_text_is_cut_once(tmp_path):
    """Ids, vocabulary and spellings are those of a pass each; joined words and folded ones, too."""
    name = write(tmp_path / "raw.tsv", "text\tlabel\n" + "\n".join(
        f"He said \"No{n % 7}!\" , (twice) don't; {n}\t{('good', 'bad')[n % 2]}" for n in range(60)))  # fmt: skip
    calls = []

    class Watched(Word):
        def tokenize(self, line):
            calls.append(line)
            return super().tokenize(line)

    ngrams = Ngrams(buckets=50)
    corpus = Labelled(root=str(tmp_path), train=name, val_size=5, test_size=5)
    built = LabelledData(corpus, lambda _: Watched("en", True, min_frequency=2), ngrams=ngrams)
    built.setup()
    assert len(calls) == 60
    alone = Word("en", lowercase=True, min_frequency=2)
    texts = {split: [built.text(split, row) for row in range(built.size(split))] for split in built.splits}
    alone.fit(texts["train"])
    assert alone.state() == built.tokenizer.state()
    for split, found in texts.items():
        batch = built.batch(split, range(len(found)))
        assert [row[kept].tolist() for row, kept in zip(batch.words, batch.mask, strict=True)] == [
            *map(alone.encode, found)
        ]
        for row, text in enumerate(found):
            for place, token in enumerate(alone.tokenize(text)):
                begin = batch.spelled.starts[word := int(batch.spelled.places[row, place])]
                end = batch.spelled.starts[word + 1] if word + 1 < len(batch.spelled.starts) else None
                assert batch.spelled.ngrams[begin:end].tolist() == ngrams(token.text)


def test_a_column_of_texts_is_no_column_of_labels(tmp_path):
    name = write(tmp_path / "swapped.tsv", "\n".join(f"text {n}\tgood, number {n}" for n in range(60)))
    corpus = Labelled(root=str(tmp_path), train=name, columns=[0, 1], val_size=5, test_size=5)
    with pytest.raises(
        DataError, match=r"50 training texts have 50 classes, such as .*; is the label in another column"
    ):
        LabelledData(corpus, Whitespace).setup()


def test_a_row_without_weight(tmp_path):
    from attnlab.data.sentences import Weightless

    assert data(tmp_path).dataset("train").__getitems__(Weightless([2])).index.tolist() == [NO_SENTENCE]


def recalled(folder, test):
    """Data as a finished run is tested on."""
    corpus = Labelled(root=str(folder), test=test)
    return LabelledData(corpus, Word, tokenizers=str(folder / "kept"), splits=["test"])


def test_what_was_learnt_is_saved_and_read_back(tmp_path):
    first = data(tmp_path)
    first.save(tmp_path / "kept")
    other = write(tmp_path / "more.tsv", "text\tlabel\nunheard number 3\tgood\n")
    again = LabelledData(
        Labelled(root=str(tmp_path), test=other), Word, tokenizers=str(tmp_path / "kept"), splits=["test"]
    )
    again.setup()
    assert again.classes == first.classes
    assert again.batch("test", [0]).words[0].tolist() == [UNK, *first.tokenizer.encode("number 3")]
    strange = write(tmp_path / "strange.tsv", "text\tlabel\nx\tugly\n")
    unknown = LabelledData(
        Labelled(root=str(tmp_path), test=strange), Word, tokenizers=str(tmp_path / "kept"), splits=["test"]
    )
    with pytest.raises(DataError, match="test example 0: its label is 'ugly', and the run knows bad, good"):
        unknown.setup()


def test_one_class_is_none(tmp_path):
    name = write(tmp_path / "one.tsv", "text\tlabel\n" + "\n".join(f"t{n}\ta" for n in range(30)))
    with pytest.raises(DataError, match=r"1 class .a., expected two or more"):
        LabelledData(Labelled(root=str(tmp_path), train=name), Whitespace).setup()


VECTORS = "4 3\ntext 1 2 3\nNUMBER 4 5 6\nelsewhere 7 8 9\ntext 9 9 9\n"


def test_vectors(tmp_path, caplog):
    path = write(tmp_path / "vectors.txt", VECTORS)
    with caplog.at_level(logging.WARNING):
        built = data(tmp_path, vectors=path)
    (text,), (number,) = built.tokenizer.encode("text"), built.tokenizer.encode("number")
    np.testing.assert_array_equal(built.vectors.table[[text, number]], [[1, 2, 3], [4, 5, 6]])
    assert built.vectors.known.sum() == 2
    words = len(built.tokenizer) - 4
    assert f"vectors for 2 of {words} words" in caplog.text
    assert "33.3% of the training text" in caplog.text  # 2 of the 6 words of every text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("text 1 2\nnumber 1 2 3\n", "vectors.txt:2: 3 numbers follow 'number 1', expected 2"),
        ("text 1 x\n", "vectors.txt:1: no vector"),
        ("text 1 nan\n", "not finite"),
        ("elsewhere 1 2\n", "has a vector for none of"),
    ],
)
def test_vectors_that_cannot_be(tmp_path, text, told):
    with pytest.raises(DataError, match=told):
        data(tmp_path, vectors=write(tmp_path / "vectors.txt", text))


def test_a_text_that_is_tested_is_told_to_be_left_out_as_a_text(tmp_path):
    train = write(tmp_path / "train.tsv", "text\tlabel\nfine\tgood\ndull\tbad\nlong\tbad\n")
    test = write(tmp_path / "test.tsv", "text\tlabel\ndull\tbad\n")
    corpus = Labelled(root=str(tmp_path), train=train, test=test, val_size=0)
    assert [row.text for row in corpus.read("train")] == ["fine", "long"]
    assert corpus.report.skipped["train"] == {"text also in test": 1}


def test_a_published_vector_file_has_words_with_blanks(tmp_path):
    path = write(tmp_path / "vectors.txt", "text 1 2\n. . . 3 4\nat name@domain.com 5 6\nnumber 7 8\n")
    assert data(tmp_path, vectors=path).vectors.known.sum() == 2


def test_other_vectors_are_other_data(tmp_path):
    one, other = (write(tmp_path / name, f"text {n} 2\n") for n, name in enumerate(("a.vec", "b.vec")))
    assert data(tmp_path, vectors=one).fingerprint() != data(tmp_path, vectors=other).fingerprint()


def test_escapes_of_the_treebank(tmp_path):
    write(tmp_path / "sst" / "binary.train.txt", "1 gay s\\/m fantasy \\* rated\n")
    write(tmp_path / "sst" / "binary.dev.txt", "1 x\n")
    assert [row.text for row in Sst(root=str(tmp_path), val_size=0).read("train")] == ["gay s/m fantasy * rated"]


def test_halves_of_characters_and_a_mark_of_excel(tmp_path):
    broken = write(tmp_path / "a.jsonl", '{"text": "abc \\ud83d x", "label": "a"}\n{"text": "fine", "label": "a"}\n')
    corpus = Labelled(root=str(tmp_path), train=broken, val_size=0, test_size=0)
    assert [row.text for row in corpus.read("train")] == ["fine"]
    excel = write(tmp_path / "a.csv", b'\xef\xbb\xbf"text","label"\n"x, y",b\n')
    assert list(Labelled(root=str(tmp_path), train=excel, val_size=0, test_size=0).read("train")) == [("x, y", "b")]


@pytest.mark.parametrize("name", [" bad", "", "a\nb"])
def test_names_of_classes_are_one_line(tmp_path, name):
    with pytest.raises(ConfigError, match=r"is no name of a class"):
        Labelled(root=str(tmp_path), train="a.tsv", labels={"0": name, "1": "good"})


def test_a_comma_in_a_text_that_is_not_quoted(tmp_path):
    name = write(tmp_path / "a.csv", "text,label\nfine, really,good\nbad,bad\n")
    corpus = Labelled(root=str(tmp_path), train=name, val_size=0, test_size=0)
    assert list(corpus.read("train")) == [("bad", "bad")]
    assert "3 columns, the first line has 2 (quote a text that has ',')" in str(corpus.report)
    semicolons = write(tmp_path / "b.csv", "text;label\na;b\n")
    with pytest.raises(DataError, match=r"seems to be parted by ';'"):
        list(Labelled(root=str(tmp_path), train=semicolons, val_size=0, test_size=0).read("train"))
