"""Documents from the command line: trained, gone on with, tested, evaluated on other data, compared, asked."""

import json
from itertools import pairwise

import numpy as np
import pytest

from attnlab.cli import build, folders
from attnlab.cli.app import read_flags
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.errors import MistakesError
from attnlab.errors import ConfigError

WORDS = ["film", "story", "actor", "scene", "music"]
SMALL = ("logger=none", "encoder.hidden_dim=6", "sentence_encoder.hidden_dim=6", "model.embedding_dim=8",
         "optimizer.lr=0.01", "trainer.max_epochs=2", "callbacks.run_files.figures=1",
         "callbacks.attention_maps.sentences=1", "scheduler=constant", "tokenizer.min_frequency=2",
         "data.max_sentences=4", "data.max_words=4")  # fmt: skip


def write(path, items, seed):
    """One sentence of each document says which class it has; every second one is a text as it is."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(items):
        label = int(draw.integers(2))
        sentences = [f"{' '.join(draw.choice(WORDS, draw.integers(1, 5)))} ." for _ in range(draw.integers(2, 6))]
        place = int(draw.integers(len(sentences)))
        sentences[place] = f"{('dull', 'fine')[label]} {sentences[place]}"
        sentences[0] = f"item{seed}x{number} {sentences[0]}"
        cut = {"sentences": sentences} if number % 2 else {"text": " ".join(map(str.capitalize, sentences))}
        rows.append({"label": ("bad", "good")[label], **cut})
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    return {"train": write(folder / "train.jsonl", 160, 1), "other": write(folder / "other.jsonl", 12, 2)}


def folder_of(output):
    from pathlib import Path

    return Path(output.split("files:")[1].strip())


def read(path):
    return json.loads(path.read_text("utf-8"))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def train(documents):
    return ("train", "dataset=documents", f"dataset.train={documents['train']}", *SMALL)


@pytest.fixture(scope="module")
def trained(commands, train):
    return folder_of(commands(*train))


def test_a_run_leaves_both_levels(trained):
    metrics = read(trained / "metrics.json")
    assert trained.parts[-3:-1] == ("documents", "hierarchical_tanh_dot")
    assert (metrics["task"], metrics["model"], metrics["monitor"]) == ("documents", "hierarchical", "val/accuracy")
    tested = lines(trained / "test.jsonl")
    assert metrics["test/accuracy"] == pytest.approx(np.mean([item["label"] == item["predicted"] for item in tested]))
    for item in tested:
        assert sum(item["sentences"]) == len(item["tokens"])
        assert len(item["sentences"]) <= 4 >= max(item["sentences"])
        np.testing.assert_allclose(np.sum(item["sentence_weights"]), 1, atol=2e-3)
        ends = np.cumsum(item["sentences"])[:-1]
        for words in np.split(np.array(item["weights"][0]), ends):
            np.testing.assert_allclose(words.sum(), 1, atol=2e-3)
    maps = np.load(trained / "attention" / "maps.npz", allow_pickle=False)
    for number, item in enumerate(tested):
        assert maps[f"sentences_{number}"].tolist() == item["sentences"]
        np.testing.assert_allclose(maps[f"sentence_weights_{number}"], item["sentence_weights"], atol=1e-4)
    for name in ("attention/test_0.png", "attention/val.npz", "confusion_test.png"):
        assert (trained / name).is_file()
    assert any("not read whole" in line for line in read(trained / "data_card.json")["left_out"])


def test_it_learns_what_decides(commands, train):
    more = ("trainer.max_epochs=12", "model.dropout=0", "model.word_dropout=0", "model.state_dropout=0",
            "encoder=embedding", "sentence_encoder=embedding", "data.max_sentences=null",
            "data.max_words=null")  # fmt: skip
    settings = [word for word in train if not word.startswith(("encoder.", "sentence_encoder."))]
    folder = folder_of(commands(*settings, *more))
    assert read(folder / "metrics.json")["test/accuracy"] == 1
    found = []
    for item in lines(folder / "test.jsonl"):
        place = next(i for i, token in enumerate(item["tokens"]) if token.lower() in ("dull", "fine"))
        sentence = int(np.searchsorted(np.cumsum(item["sentences"]), place, side="right"))
        start = sum(item["sentences"][:sentence])
        own = item["weights"][0][start : start + item["sentences"][sentence]]
        found.append((int(np.argmax(item["sentence_weights"][0])) == sentence, start + int(np.argmax(own)) == place))
    # A quarter by chance; not all, since the word of one class can be told by its absence.
    assert np.mean(found, 0).min() > 0.5


@pytest.mark.long
def test_it_goes_on_as_if_it_had_not_stopped(commands, train, trained):
    short = folder_of(commands(*train, "trainer.max_epochs=1"))
    commands("train", f"resume={short}", "trainer.max_epochs=2")
    assert lines(short / "test.jsonl") == lines(trained / "test.jsonl")


def test_it_is_tested_on_other_data(commands, documents, trained):
    commands("evaluate", f"run={trained}", "dataset=documents", f"dataset.test={documents['other']}", "name=other")
    assert len(lines(trained / "evaluations" / "other.test.jsonl")) == 12


def test_lines_are_documents(commands, trained, tmp_path):
    tested = lines(trained / "test.jsonl")[:3]
    asked = []
    for item in tested:
        ends = np.cumsum([0, *item["sentences"]])
        sentences = [" ".join(item["tokens"][a:b]) for a, b in pairwise(ends)]
        asked.append(json.dumps({"sentences": sentences}))
    plain = "One two three four five. Dull story! No end"
    faults = ['{"a": 1}', '{"sentences": [1]}', "{broken"]
    text = "\n".join([*asked, plain, json.dumps({"text": plain}), "", *faults])
    output = commands("predict", f"run={trained}", "format=json", f"plot={tmp_path}", text=text)
    told = [json.loads(line) for line in output.splitlines()]
    for one, item in zip(told, tested, strict=False):
        for key in ("predicted", "tokens", "sentences"):
            assert one[key] == item[key]
        np.testing.assert_allclose(one["sentence_weights"], item["sentence_weights"], atol=1e-4)
        np.testing.assert_allclose(one["weights"], item["weights"], atol=1e-4)
    assert told[3]["sentences"] == told[4]["sentences"] == [4, 3, 2]  # as many words as the run has read
    assert [one.get("error", "") for one in told[5:]] == [
        "",
        "a JSON object without sentences and text; it has a",
        "sentences has a number, expected texts",
        "begins with a brace and is no JSON object (JSONDecodeError)",
    ]
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["1", "2", "3", "4", "5"]
    long = json.dumps({"sentences": ["film ."] * 700})
    assert commands("predict", f"run={trained}", text=long).count("\t") == 1  # over 1024 words, and whole
    assert commands("predict", f"run={trained}", "max_length=1000", text=long) == "\n"


@pytest.mark.long
def test_controls_flat_and_linear_rows_are_compared(commands, train, documents, tmp_path):
    flat = ("train", "dataset=documents", f"dataset.train={documents['train']}", "logger=none")
    runs = [
        folder_of(commands(*train, "sentence_pooling=mean", "trainer.max_epochs=1")),
        folder_of(commands(*train, "pooling=mean", "sentence_pooling=mean", "trainer.max_epochs=1")),
        folder_of(commands(*flat, "model=classifier", "encoder.hidden_dim=6", "trainer.max_epochs=1")),
        folder_of(commands(*flat, "model=linear")),
    ]
    assert [run.parent.name for run in runs] == [
        "hierarchical_tanh_dot_mean", "hierarchical_mean", "tanh_dot", "linear",
    ]  # fmt: skip
    kept = [lines(run / "test.jsonl")[0] for run in runs]
    assert [item["weights"] is None for item in kept] == [False, True, False, True]
    assert [item["sentence_weights"] is None for item in kept] == [True] * 4
    assert [(run / "attention" / "test_0.png").is_file() for run in runs] == [True, False, True, False]
    listed = ",".join(map(str, runs))
    told = commands("compare", f"runs=[{listed}]", f"output={tmp_path}")
    assert "accuracy" in told
    assert "sentence_pooling" in (tmp_path / "comparison.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("attention@sentence_pooling.attention=none",), "sentence_pooling=context_vector looks at the sentences by"),
        (("attention@sentence_pooling.attention=luong_dto",), "no such option; did you mean luong_dot"),
        (
            ("task=classification", "model=hierarchical"),
            "a Hierarchical is no Classifier or Linear",
        ),
        (("task=documents", "data=classification"), "a LabelledData is no DocumentData, which task=documents takes"),
        (("model=classifier", "sentence_pooling=mean"), "sentence_pooling=mean: nothing that was chosen takes it"),
        (("data.max_words=0",), "data.max_words"),
    ],
)
def test_mistakes_of_a_configuration(monkeypatch, tmp_path, arguments, told):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()
    asked = ("dataset=documents", "dataset.train=my.jsonl", *arguments)
    with pytest.raises(MistakesError, match=told), Composer("train", read_flags(asked), Options) as composer:
        composer.check()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("attention@sentence_pooling.attention=coverage",), "Coverage asks where earlier steps have looked"),
    ],
)
def test_what_cannot_be_built(monkeypatch, tmp_path, arguments, told):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()
    asked = ("dataset=documents", "dataset.train=my.jsonl", *arguments)
    with Composer("train", read_flags(asked), Options) as composer, pytest.raises(ConfigError, match=told):
        build.rehearse(composer.check())
