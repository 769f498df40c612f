"""``model=linear`` from the command line: a row like any other, fitted at once."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from attnlab.callbacks import checkpoint_files
from attnlab.cli.build import require_training
from attnlab.errors import ConfigError


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    draw = np.random.default_rng(1)
    rows = []
    for number in range(160):
        label = int(draw.integers(2))
        words = [*draw.choice(["film", "story", "actor"], 3), "fine" if label else "dull", str(number)]
        rows.append(f"{' '.join(draw.permutation(words))}\t{('bad', 'good')[label]}")
    file = tmp_path_factory.mktemp("reviews") / "train.tsv"
    file.write_text("text\tlabel\n" + "\n".join(rows), "utf-8")
    return ("dataset=labelled", f"dataset.train={file}", "model=linear", "logger=none")


def folder_of(output):
    return Path(output.split("files:")[1].strip())


def read(folder, name="metrics.json"):
    return json.loads((folder / name).read_text("utf-8"))


def items_of(folder):
    return [json.loads(line) for line in (folder / "test.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def linear(commands, reviews):
    return folder_of(commands("train", *reviews))


def test_it_leaves_what_every_run_leaves(commands, linear):
    assert linear.relative_to(commands.root).parts[:3] == ("outputs", "labelled", "linear")
    metrics = read(linear)
    assert (metrics["attention"], metrics["encoder"], metrics["train/steps"]) == ("none", None, 1)
    assert (metrics["pooling"], metrics["model"]) == (None, "linear")
    assert metrics["train/seconds"] > 0
    assert metrics["test/accuracy"] > 0.9
    items = items_of(linear)
    assert metrics["test/nll"] == pytest.approx(np.mean([item["loss"] for item in items]))
    assert all(item["weights"] is None for item in items)
    assert (linear / "confusion_test.png").is_file()
    history = [json.loads(line) for line in (linear / "history.jsonl").read_text("utf-8").splitlines()]
    assert [set(line) >= {"train/loss", "val/accuracy"} for line in history] == [True]
    for name in ("best", "last"):
        state = checkpoint_files.read(linear / "checkpoints" / f"{name}.ckpt")["state_dict"]
        assert state["model.table"].dtype == torch.int32
        assert len(state["model.table"]) == len(state["model.weight"]) > 50


def test_the_seed_decides_nothing(commands, reviews, linear):
    assert items_of(folder_of(commands("train", *reviews, "seed=2"))) == items_of(linear)


def test_it_is_resumed_evaluated_predicted_and_exported(commands, linear, tmp_path):
    items = items_of(linear)
    commands("evaluate", f"run={linear}", "name=again")
    assert read(linear / "evaluations", "again.json")["test/accuracy"] == read(linear)["test/accuracy"]
    text = "".join(f"{item['text']}\n" for item in items)
    told = [json.loads(line) for line in commands("predict", f"run={linear}", "format=json", text=text).splitlines()]
    for line, item in zip(told, items, strict=True):
        assert line["probabilities"] == pytest.approx(item["probabilities"], abs=1e-12)
    assert "this run has no attention to draw" in commands("predict", f"run={linear}", f"plot={tmp_path}", code=2)
    copy = tmp_path / "copy"
    shutil.copytree(linear, copy)
    commands("export", f"run={copy}")
    assert commands("predict", f"run={copy}", "checkpoint=model.safetensors", text=text) == commands(
        "predict", f"run={copy}", text=text
    )
    assert commands("train", f"resume={copy}") == f"finished before: {copy}\n"
    told = commands("train", f"resume={copy}", "trainer.max_epochs=9", code=2)
    assert "trainer.max_epochs=9: nothing reads it with a Linear" in told
    told = commands("train", f"ckpt_path={copy}", code=2)
    assert "fitted at once to all training texts, so there is nothing to go on with" in told
    for name in ("finished.json", "test.jsonl"):  # killed while it was tested
        (copy / name).unlink()
    commands("train", f"resume={copy}")
    assert (copy / "test.jsonl").read_bytes() == (linear / "test.jsonl").read_bytes()


@pytest.mark.long
def test_it_is_compared_with_attention(commands, reviews, linear, tmp_path):
    other = folder_of(commands("train", *reviews, "model.features=nb", "model.ngrams=1"))
    attention = folder_of(
        commands("train", *reviews[:2], "model=classifier", "encoder=embedding", "model.embedding_dim=8",
                 "pooling=mean", "trainer.max_epochs=1", "logger=none")
    )  # fmt: skip
    told = commands("compare", f"runs=[{linear},{other},{attention}]", f"output={tmp_path}")
    assert "accuracy" in told
    assert "linear" in (tmp_path / "comparison.md").read_text("utf-8").lower()
    assert read(other)["test/accuracy"] > 0.9


def test_no_n_gram_is_left(commands, reviews):
    told = commands("train", *reviews, "model.min_frequency=1000", code=2)
    assert "model.min_frequency=1000: no n-gram is in so many training texts" in told


def test_gradients_want_an_optimizer():
    with pytest.raises(ConfigError, match="optimizer: Linear is trained by gradients; choose one"):
        require_training(OmegaConf.create({}), torch.nn.Linear(1, 1))
