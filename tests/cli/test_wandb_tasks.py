"""What W&B is left of a run of every task, read back from the disk: numbers, pictures, tables, a panel, artifacts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wandb
from omegaconf import OmegaConf
from wandb_records import console, history, media, records, summary, table
from wandb_stand_in import standing_in
from wandb_views import lacking

from attnlab.cli.commands.dashboard import dashboard

SMALL = ("logger=wandb", "model.embedding_dim=8", "trainer.max_epochs=2", "trainer.log_every_n_steps=1",
         "callbacks.run_files.figures=1", "callbacks.attention_maps.sentences=1", "callbacks.samples.sentences=2",
         "scheduler=constant")  # fmt: skip
WORDS = ["dog", "cat", "man", "girl", "bird"]


def rows_of(path, header, rows):
    path.write_text("\n".join(["\t".join(header), *("\t".join(map(str, row)) for row in rows)]), "utf-8")
    return str(path)


def translation(folder):
    sizes = ("dataset.train_size=60", "dataset.val_size=8", "dataset.test_size=8")
    return ["dataset=grammar", *sizes, "encoder.hidden_dim=8", "decoder.hidden_dim=16"]


def classification(folder):
    rows = [(f"{('dull', 'fine')[n % 2]} film {n}", "-+"[n % 2]) for n in range(80)]
    train = rows_of(folder / "rows.tsv", ["text", "label"], rows)
    return ["dataset=labelled", f"dataset.train={train}", "encoder.hidden_dim=8", "pooling=context_vector"]


def documents(folder):
    rows = [
        {"label": "-+"[n % 2], "sentences": [f"a film {n} .", f"it is {('dull', 'fine')[n % 2]} ."]} for n in range(80)
    ]
    (folder / "documents.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    small = ("encoder.hidden_dim=6", "sentence_encoder.hidden_dim=6")
    return ["dataset=documents", f"dataset.train={folder / 'documents.jsonl'}", *small]


def pairs(folder):
    draw = np.random.default_rng(1)
    rows = []
    for n in range(90):
        noun, other = draw.choice(WORDS, 2, replace=False)
        said, label, score = [("{} runs", "yes", 4.5), ("no {} runs", "no", 2.5)][n % 2]
        rows.append((f"the old {noun} {other} runs {n}", said.format(noun), label, score + draw.random() / 5))
    train = rows_of(folder / "pairs.tsv", ["sentence1", "sentence2", "gold_label", "score"], rows)
    return ["dataset=pairs", f"dataset.train={train}", "model.hidden_dim=8", "data.ngrams=null"]


def relatedness(folder):
    return [*pairs(folder), "task=relatedness", "dataset.score=score"]


def forecasting(folder):
    values = 50 + 10 * np.sin(np.arange(120) / 3)
    lines = [f"2020-{n},{value:.3f}" for n, value in enumerate(values)]
    (folder / "sales.csv").write_text("\n".join(["when,sales", *lines]) + "\n", "utf-8")
    series = ("dataset.targets=[sales]", "dataset.horizon=3", "dataset.season=6", "dataset.periods=[6]",
              "dataset.val_size=24", "dataset.test_size=24", "data.lookback=12", "model.state_dim=6")  # fmt: skip
    return ["dataset=csv_series", f"dataset.file={folder / 'sales.csv'}", *series]


TASKS = {
    "translation": translation, "classification": classification, "documents": documents, "entailment": pairs,
    "relatedness": relatedness, "forecasting": forecasting,
}  # fmt: skip


OFTEN = ("translation", "classification")  # the others are trained and recorded in tests of their own


@pytest.fixture(
    scope="module", params=[pytest.param(task, marks=[pytest.mark.long] * (task not in OFTEN)) for task in TASKS]
)
def run(request, commands, tmp_path_factory):
    """The folder of a run of a task, as the command leaves it with the default logger."""
    output = commands("train", *TASKS[request.param](tmp_path_factory.mktemp("data")), *SMALL)
    return Path(output.split("files:")[1].strip())


def test_a_run_of_every_task_is_whole(run):
    """One test a task: a training takes seconds."""
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    monitored = metrics["monitor"]
    # Curves: the loss, what is monitored, the learning rate and the norm of the gradient, at every update here.
    losses = history(run, "train/loss")
    assert len(losses) == metrics["train/steps"]
    assert len(history(run, "train/learning_rate")) == len(history(run, "train/gradient_norm")) == len(losses)
    assert len(history(run, monitored)) == 2
    found = summary(run)
    first = next(key for key in metrics if key.startswith("test/"))
    assert found[first] == pytest.approx(metrics[first])
    # Pictures: of a validation item at each validation, and of the test what lies in the folder.
    (drawn,) = (run / "attention").glob("val_*.png")
    paths = [name for names in history(run, f"val/attention/{drawn.stem}.filenames") for name in names]
    assert len(paths) == 2
    assert media(run, paths[-1]).read_bytes() == drawn.read_bytes()
    ((tested,),) = history(run, "test/attention/test_0.filenames")
    assert media(run, tested).read_bytes() == (run / "attention" / "test_0.png").read_bytes()
    # Tables: samples of validations, what was made of every tested item, the data card.
    shown = table(run, "val/samples")
    assert shown["columns"][:2] == ["epoch", "step"]
    assert len(shown["data"]) == 4
    lines = [json.loads(line) for line in (run / "test.jsonl").read_text("utf-8").splitlines()]
    told = table(run, "test/samples")
    assert len(told["data"]) == len(lines)
    assert told["columns"][0] == "number"
    card = json.loads((run / "data_card.json").read_text("utf-8"))
    assert [row[0] for row in table(run, "data/card")["data"]] == list(card["splits"])
    # The console, to its end: the table of scores, and where the files are.
    told = console(run)
    assert (run / "train.log").read_text("utf-8").startswith(told)
    assert told.rstrip().endswith(f"files: {run}")
    # The panel: the viewer's page of both validations, which asks the network for nothing.
    (panel,) = history(run, "attention/over_training.path")
    page = media(run, panel).read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "over its training" in page
    assert "default-src 'none'" in page


def test_where_things_come_from(run):
    made = {record["type"]: record for record in records(run, "artifact") if record["type"] != "run_table"}
    tokenizer = {"tokenizer"} if any((run / "tokenizer").glob("*")) else set()
    assert set(made) == {"dataset", "model", "evaluation"} | tokenizer
    assert made["dataset"]["use_after_commit"]
    assert not any(record.get("use_after_commit") for kind, record in made.items() if kind != "dataset")
    contents = {kind: {entry["path"]: entry for entry in record["manifest"]["contents"]}
                for kind, record in made.items()}  # fmt: skip
    assert set(contents["dataset"]) == {"data_card.json", "fingerprint.txt"}
    assert set(contents["evaluation"]) == {"metrics.json", *(path.name for path in run.glob("test*.jsonl"))}
    best = contents["model"]["checkpoints/best.ckpt"]
    assert best["ref"] == (run / "checkpoints" / "best.ckpt").as_uri()
    assert "local_path" not in best, "nothing of a model is uploaded unless that is asked for"
    assert ".hydra/config.yaml" in contents["model"]
    (of,) = records(run, "run")
    assert made["model"]["name"] == f"model-{of['run_id']}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_its_dashboard_names_what_was_uploaded(run, tmp_path, monkeypatch):
    """By W&B's own programs: the line that uploads an offline run, and the view of a project."""
    copy = tmp_path / run.name
    shutil.copytree(run, copy, symlinks=True)  # W&B marks what it has uploaded
    with standing_in() as server:
        command = [sys.executable, "-m", "wandb", "sync", str(copy / "wandb")]
        subprocess.run(command, capture_output=True, check=True, timeout=240, env=os.environ | server.environment())
        wandb.teardown()
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        dashboard(OmegaConf.create({"entity": None, "project": "attnlab", "group": None, "title": "Attention"}))
        wandb.teardown()
        (sent,) = server.views
        spec = json.loads(sent["spec"])
        assert lacking(spec, server.runs.values()) == []
        drawn = [section["name"] for section in spec["section"]["panelBankConfig"]["sections"] if section["panels"]]
        for start in ("Learning curves by ", "Scores of the test", "Cost and quality", "Sample ", "What an update is",
                      "Attention over training", "Data", "Pictures of the test"):  # fmt: skip
            assert any(name.startswith(start) for name in drawn), f"{start}: {drawn}"
        assert any(name.endswith(", side by side") for name in drawn)
        assert server.faults == []
