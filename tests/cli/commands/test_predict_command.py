"""``attnlab predict`` on a trained run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from attnlab.data.labelled.labels import saved_labels
from attnlab.types import DataError

TEXT = "a fine film 1\n\n \u200b\nthe dull story of an actor\nfine\n"


@pytest.fixture(scope="module")
def classified(commands, tmp_path_factory):
    """A run of seconds that has a test of texts of both classes."""
    draw = np.random.default_rng(1)
    rows = []
    for number in range(120):
        label = int(draw.integers(2))
        words = [*draw.choice(["film", "story", "actor"], int(draw.integers(1, 6))), "fine" if label else "dull"]
        rows.append(f"{' '.join(draw.permutation([*words, str(number)]))}\t{('bad', 'good')[label]}")
    file = tmp_path_factory.mktemp("texts") / "train.tsv"
    file.write_text("text\tlabel\n" + "\n".join(rows), "utf-8")
    output = commands(
        "train", "dataset=labelled", f"dataset.train={file}", "logger=none", "encoder.hidden_dim=8",
        "model.embedding_dim=8", "optimizer.lr=0.02", "trainer.max_epochs=3", "data.batch_size=16",
        "encoder.bidirectional=true", "pooling=structured", "pooling.looks=2", "callbacks.run_files.figures=0",
    )  # fmt: skip
    return Path(output.split("files:")[1].strip())


def items_of(folder):
    return [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]


def test_lines_are_told_what_the_test_told(commands, classified, tmp_path):
    items = items_of(classified)
    text = "".join(f"{item['text']}\n" for item in items)
    output = commands("predict", f"run={classified}", "format=json", f"plot={tmp_path / 'pictures'}", text=text)
    for number, (item, line) in enumerate(zip(items, map(json.loads, output.splitlines()), strict=True), 1):
        assert line["line"] == number
        assert (line["text"], line["predicted"], line["tokens"]) == (item["text"], item["predicted"], item["tokens"])
        assert line["probabilities"] == pytest.approx(item["probabilities"], abs=1e-6)
        np.testing.assert_allclose(line["weights"], item["weights"], atol=1.01e-4)
        assert len(line["looks"]) == len(line["weights"]) == 2
    names = sorted(int(path.stem) for path in (tmp_path / "pictures").iterdir())
    assert names == list(range(1, len(items) + 1))


def test_one_line_a_line_and_only_the_run_folder_is_needed(commands, classified, tmp_path):
    output = commands("predict", f"run={classified}", text=TEXT)
    lines = output.split("\n")
    assert lines.pop() == ""
    assert [bool(line) for line in lines] == [True, False, False, True, True]
    for line in filter(None, lines):
        name, share = line.split("\t")
        assert name in ("bad", "good")
        assert 0.5 <= float(share) <= 1
    copy = tmp_path / "elsewhere"
    shutil.copytree(classified, copy)
    missing = {"ATTNLAB_DATA": str(tmp_path / "none")}
    files = (f"input={tmp_path / 'in.txt'}", f"output={tmp_path / 'out.txt'}")
    (tmp_path / "in.txt").write_text(TEXT, "utf-8")
    assert commands("predict", f"run={copy}", "chunk=1", "checkpoint=best", *files, environment=missing) == ""
    assert (tmp_path / "out.txt").read_text("utf-8") == output


def test_what_is_wrong_is_told(commands, classified, run, tmp_path):
    assert "expected one of text, json" in commands("predict", f"run={classified}", "format=xml", code=2)
    assert "line 2: invalid UTF-8" in commands("predict", f"run={classified}", text=b"yes\nn\xff\n", code=2)
    assert "use attnlab translate" in commands("predict", f"run={run}", text=TEXT, code=2)
    assert "attnlab predict" in commands("translate", f"run={classified}", text=TEXT, code=2)
    best = classified / "checkpoints" / "best.ckpt"
    told = commands("predict", f"run={classified}", f"output={best}", text=TEXT, code=2)
    assert f"output={best}: this is a file of the run" in told
    output = commands("predict", f"run={classified}", "max_length=3", "format=json", text="a b c\na b c d\n")
    first, second = map(json.loads, output.splitlines())
    assert first["predicted"]
    assert second == {"line": 2, "text": "", "error": "4 tokens, over the 3 of max_length=3"}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ('["bad"]', "expected a list of two names or more"),
        ('["bad", 1]', "expected a list of two names or more"),
        ('["bad", "good\\nbad"]', "is no name of a class"),
        ('["bad", ""]', "is no name of a class"),
        ('["bad", "bad"]', "a name comes twice"),
        ("bad", "no labels of a run"),
    ],
)
def test_labels_of_somebody_else(tmp_path, labels, told):
    (tmp_path / "labels.json").write_text(labels, "utf-8")
    with pytest.raises(DataError, match=told):
        saved_labels(tmp_path / "labels.json")


def test_more_classes_than_the_model_has(commands, classified, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(classified, copy)
    (copy / "tokenizer" / "labels.json").write_text('["bad", "good", "ugly"]', "utf-8")
    assert "these weights are of another model" in commands("predict", f"run={copy}", text=TEXT, code=2)
