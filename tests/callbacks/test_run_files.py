"""What a run leaves: one whole run with the callbacks of conf/callbacks/default.yaml, looked at from many sides."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import pytorch_lightning as pl
import sacrebleu
import torch
from hydra.utils import instantiate
from PIL import Image

from attnlab.analysis.maps import recorded
from attnlab.callbacks.attention_maps import AttentionMaps
from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.run_files import environment
from attnlab.callbacks.throughput import Throughput
from attnlab.data.tokenizers.load import load
from attnlab.runs.schema import KEYS, contents

EPOCHS = 2


class Finished(NamedTuple):
    run: Path
    trainer: pl.Trainer
    task: Any
    metrics: dict[str, Any]


@pytest.fixture(scope="module")
def finished(module_lab: Any) -> Finished:
    config = module_lab.config("callbacks.progress=null", "callbacks.run_files.figures=2", "seed=3")
    trainer = module_lab.trainer(*module_lab.components(config.callbacks), max_epochs=EPOCHS)
    task = module_lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    metrics = json.loads((module_lab.run / "metrics.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return Finished(module_lab.run, trainer, task, metrics)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def callback(trainer: pl.Trainer, kind: type) -> Any:
    return next(item for item in trainer.callbacks if isinstance(item, kind))  # type: ignore[attr-defined]


def steps(finished: Finished) -> list[int]:
    """Updates after each epoch."""
    return [finished.trainer.global_step * epoch // EPOCHS for epoch in range(1, EPOCHS + 1)]


def test_every_file_is_there(finished: Finished) -> None:
    found = {str(path.relative_to(finished.run)) for path in finished.run.rglob("*") if path.is_file()}
    figures = {name for name in found if name.endswith(".png")}
    assert found - figures == {
        "history.jsonl",
        "metrics.json",
        "data_card.json",
        "test.jsonl",
        "test_long.jsonl",
        "word_counts.json",
        "attention/maps.npz",
        "attention/maps_test_long.npz",
        "attention/val.npz",
        *(f"attention/training/{step:09d}.npz" for step in steps(finished)),
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "checkpoints/last-1.ckpt",
        "tokenizer/source.json",
        "tokenizer/target.json",
    }
    assert {"attention/test_0.png", "attention/test_1.png", "attention/test_long_0.png"} <= figures
    assert len([name for name in figures if name.startswith("attention/val_")]) == 4


def test_labels_of_the_run(finished: Finished) -> None:
    expected = {
        "seed": 3,
        "attention": "luong_general",
        "encoder": "gru",
        "decoder": "luong",
        "dataset": "multi30k",
    }
    assert expected.items() <= finished.metrics.items()
    assert finished.metrics["version/torch"] == torch.__version__  # with its build, as in 2.13.0+cu130
    assert finished.metrics["version/cuda"] == torch.version.cuda
    assert finished.metrics["train/epochs"] == EPOCHS
    assert finished.metrics["train/steps"] == EPOCHS * 10
    plain = {key: value for key, value in finished.metrics.items() if key not in KEYS}
    assert all(isinstance(value, str | int | float | None) for value in plain.values())  # flat


def test_how_to_read_the_rest(finished: Finished) -> None:
    found = contents(finished.metrics)
    assert (found.task, found.unit, found.monitor) == ("translation", "target tokens", "val/bleu")
    assert found.splits == tuple(finished.task.data.test_splits)
    assert list(found.quantities)[:6] == ["bleu", "chrf", "ter", "ppl", "aer", "loss"]
    assert found.quantities["bleu"].signature == finished.metrics["bleu_signature"] == found.signatures["bleu"]
    for key in ("train/seconds", "train/target_tokens_per_second", "params", "peak_memory_mib", "train/mfu"):
        assert key in finished.metrics
        assert key in found.quantities
    assert found.missing == {}


def test_the_build_is_recorded_where_a_wheel_hides_it(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's ordinary Linux wheel calls itself 2.13.0 in its metadata, and is 2.13.0+cu130."""
    monkeypatch.setattr("importlib.metadata.version", lambda package: "2.13.0")
    monkeypatch.setattr(torch, "__version__", "2.13.0+cu130")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    found = environment(finished.trainer)
    assert (found["version/torch"], found["version/cuda"]) == ("2.13.0+cu130", "13.0")


@pytest.mark.parametrize("split", ["test", "test_long"])
def test_scores_are_those_of_the_lines(finished: Finished, split: str) -> None:
    records = lines(finished.run / f"{split}.jsonl")
    pairs = [finished.task.data.text(split, number) for number in range(len(records))]
    assert [(line["source"], line["reference"]) for line in records] == [(p.source, p.target) for p in pairs]
    hypotheses, references = (
        [line["hypothesis"] for line in records],
        [[line["reference"] for line in records]],
    )
    for name, metric in {"bleu": sacrebleu.BLEU(), "chrf": sacrebleu.CHRF(), "ter": sacrebleu.TER()}.items():
        expected = metric.corpus_score(hypotheses, references).score
        assert finished.metrics[f"{split}/{name}"] == pytest.approx(expected, rel=1e-5), name
    assert finished.metrics["bleu_signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


@pytest.mark.parametrize("split", ["test", "test_long"])
def test_lines_add_up_to_the_perplexity(finished: Finished, split: str) -> None:
    records = lines(finished.run / f"{split}.jsonl")
    tokens = [len(line["reference"].split()) + 1 for line in records]  # end of sentence counted
    assert [line["target_tokens"] for line in records] == tokens
    mean = sum(line["loss"] for line in records) / sum(tokens)
    assert finished.metrics[f"{split}/loss"] == pytest.approx(mean, rel=1e-5)
    assert finished.metrics[f"{split}/ppl"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert {line["links"] for line in records} == {None}  # the toy language has no gold alignment


def test_lines_have_what_sacrebleu_counts(finished: Finished) -> None:
    records = lines(finished.run / "test.jsonl")
    metrics = {"bleu": sacrebleu.BLEU(), "chrf": sacrebleu.CHRF(), "ter": sacrebleu.TER()}
    for name, metric in metrics.items():
        pairs = [line["hypothesis"] for line in records], [[line["reference"] for line in records]]
        assert [line["counts"][name] for line in records] == metric._extract_corpus_statistics(*pairs)


def test_loss_of_a_line_is_that_of_the_sentence_alone(finished: Finished) -> None:
    task = finished.task.eval()
    task.load_state_dict(torch.load(finished.run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"])
    for line in lines(finished.run / "test.jsonl"):
        source = torch.tensor([task.data.source_tokenizer.encode(line["source"])])
        target = torch.tensor([[2, *task.data.target_tokenizer.encode(line["reference"]), 3]])
        with torch.no_grad():
            memory, state = task.model.decoder.initial_state(task.model.encode(source, source > 0))
            log_probs = task.model.logits(task.model.decode(target[:, :-1], memory, state).features).log_softmax(-1)
        expected = -sum(float(log_probs[0, step, word]) for step, word in enumerate(target[0, 1:].tolist()))
        assert line["loss"] == pytest.approx(expected, rel=1e-4)


def test_learning_curve(finished: Finished) -> None:
    points = lines(finished.run / "history.jsonl")
    validations = [point for point in points if "val/bleu" in point]
    assert [point["step"] for point in validations] == [10, 20]
    assert [point["epoch"] for point in validations] == [0, 1]
    assert max(point["val/bleu"] for point in validations) == pytest.approx(finished.metrics["val/bleu"])
    every = finished.trainer.log_every_n_steps  # type: ignore[attr-defined]
    assert [p["step"] for p in points if "val/bleu" not in p] == list(range(every, 21, every))
    seconds = [point["seconds"] for point in points]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] <= finished.metrics["train/seconds"] + 0.01
    assert all(point["train/loss"] > 0 and point["learning_rate"] >= 0 for point in points)


def test_decoding_speed(finished: Finished) -> None:
    for split in ("test", "test_long"):
        assert 0.1 < finished.metrics[f"{split}/sentences_per_second"] < 1e6


def test_words_of_the_test_are_counted_in_training(finished: Finished) -> None:
    content = json.loads((finished.run / "word_counts.json").read_text(encoding="utf-8"))
    targets = [pair.target for pair in finished.task.data.corpus.read("train")]
    records = lines(finished.run / "test.jsonl") + lines(finished.run / "test_long.jsonl")
    tested = {word for line in records for side in ("reference", "hypothesis") for word in line[side].split()}
    expected = {word: sum(line.split().count(word) for line in targets) for word in tested}
    assert content["counts"] == {word: n for word, n in expected.items() if n}
    assert (content["tokenizer"], content["lowercase"], content["sentences"]) == ("13a", False, len(targets))


def test_cost_of_training(finished: Finished) -> None:
    pairs = [finished.task.data.corpus.read("train") for _ in range(EPOCHS)]
    tokens = sum(len(pair.target.split()) + 1 for epoch in pairs for pair in epoch)  # end of sentence counted
    throughput = callback(finished.trainer, Throughput)
    assert throughput.units == tokens
    rate, seconds = finished.metrics["train/target_tokens_per_second"], finished.metrics["train/seconds"]
    assert rate * seconds == pytest.approx(tokens)
    assert 50 < finished.metrics["peak_memory_mib"] < 100_000
    weights = torch.load(finished.run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert finished.metrics["params"] == sum(tensor.numel() for tensor in weights.values())


def test_validation_score_is_that_of_the_tested_checkpoint(finished: Finished) -> None:
    best = callback(finished.trainer, Checkpoints)
    assert finished.metrics["val/bleu"] == pytest.approx(float(best.best_model_score))
    with torch.no_grad():
        weights = torch.load(finished.run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
        assert all(torch.equal(weights[name], tensor) for name, tensor in finished.task.state_dict().items())


def test_tokenizers_read_like_those_of_the_run(finished: Finished) -> None:
    for side in ("source", "target"):
        own = getattr(finished.task.data, f"{side}_tokenizer")
        saved = load(finished.run / "tokenizer" / f"{side}.json")
        text = "one two eins zwei fünf nothing"
        assert saved.encode(text) == own.encode(text)


@pytest.mark.parametrize(("split", "name"), [("test", "maps"), ("test_long", "maps_test_long")])
def test_maps_are_behind_the_lines(finished: Finished, split: str, name: str) -> None:
    records = lines(finished.run / f"{split}.jsonl")
    with np.load(finished.run / "attention" / f"{name}.npz", allow_pickle=False) as maps:
        assert maps["sentences"].tolist() == list(range(len(records)))
        for number, line in enumerate(records):
            weights, tokens = maps[f"weights_{number}"], maps[f"target_tokens_{number}"].tolist()
            assert weights.shape == (len(tokens), len(line["source_tokens"]))
            assert maps[f"source_tokens_{number}"].tolist() == line["source_tokens"]
            assert tokens[: len(line["hypothesis_tokens"])] == line["hypothesis_tokens"]
            assert weights.argmax(1)[: len(line["alignment"])].tolist() == line["alignment"]
            np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)


def test_validation_maps_are_those_of_forced_decoding(finished: Finished) -> None:
    """The last state of the figures, from the last weights: one sentence at a time, unpadded."""
    last = torch.load(finished.run / "checkpoints" / "last.ckpt", weights_only=True)
    finished.task.load_state_dict(last["state_dict"])
    task, data = finished.task.eval(), finished.task.data
    with np.load(finished.run / "attention" / "val.npz", allow_pickle=False) as maps:
        assert len(maps["sentences"]) == 4
        for number in maps["sentences"].tolist():
            pair = data.text("val", number)
            assert maps[f"source_tokens_{number}"].tolist() == pair.source.split()
            assert maps[f"target_tokens_{number}"].tolist() == [*pair.target.split(), "</s>"]
            source = torch.tensor([data.source_tokenizer.encode(pair.source)])
            target = torch.tensor([[2, *data.target_tokenizer.encode(pair.target)]])
            with torch.no_grad():
                memory, state = task.model.decoder.initial_state(task.model.encode(source, source > 0))
                weights = task.model.decode(target, memory, state).weights[0]
            np.testing.assert_allclose(maps[f"weights_{number}"], weights.numpy(), atol=1e-5)


def test_what_was_looked_at_over_training_is_kept(finished: Finished) -> None:
    first, last = recorded(finished.run)
    assert [(moment.epoch, moment.step) for moment in (first, last)] == list(enumerate(steps(finished), 1))
    with np.load(finished.run / "attention" / "val.npz", allow_pickle=False) as maps:
        for before, item in zip(first.maps, last.maps, strict=True):
            np.testing.assert_array_equal(item.weights, maps[f"weights_{item.number}"])
            assert item.target_tokens == maps[f"target_tokens_{item.number}"].tolist() == before.target_tokens
            assert len(item.source_tokens) == 1 or not np.array_equal(before.weights, item.weights)


def test_a_training_that_goes_on_keeps_what_was_recorded_until_there(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "training"
    folder.mkdir()
    now = finished.trainer.global_step
    before, here, after = (f"{step:09d}.npz" for step in (now - 1, now, now + 1))
    for name in (before, here, after, "mine.npz"):
        (folder / name).touch()
    AttentionMaps(str(tmp_path)).on_train_start(finished.trainer, finished.task)
    assert {path.name for path in folder.iterdir()} == {before, here, "mine.npz"}


def test_figures_are_pictures(finished: Finished) -> None:
    for path in (finished.run / "attention").glob("*.png"):
        with Image.open(path) as image:
            image.load()
            assert min(image.size) > 50


def test_checkpoints_hold_plain_values_only(finished: Finished) -> None:
    for name in ("best", "last"):
        content = torch.load(finished.run / "checkpoints" / f"{name}.ckpt", weights_only=True)  # refuses other things
        assert content["global_step"] > 0
    assert [path.name for path in sorted((finished.run / "checkpoints").iterdir())] == [
        "best.ckpt",
        "last-1.ckpt",
        "last.ckpt",
    ]


def test_a_mechanism_without_alignment_leaves_no_maps(lab: Any) -> None:
    config = lab.config("callbacks.progress=null", "attention=none")
    trainer = lab.trainer(*lab.components(config.callbacks), max_epochs=1)
    task = lab.task("attention=none")
    trainer.fit(task, task.data)
    trainer.test(task, task.data, verbose=False)
    assert not (lab.run / "attention").exists()
    assert {line["alignment"] for line in lines(lab.run / "test.jsonl")} == {None}


def test_none_leaves_the_files_and_tests_the_last_state(lab: Any) -> None:
    options = ["trainer.accelerator=cpu", "trainer.max_epochs=1", "trainer.log_every_n_steps=2"]
    config = lab.config("callbacks=none", *options)
    trainer = instantiate(config.trainer, callbacks=lab.components(config.callbacks), logger=False)
    task = lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, verbose=False)
    metrics = json.loads((lab.run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["attention"] == "luong_general"
    assert "test/bleu" in metrics
    assert {path.name for path in lab.run.iterdir()} == {
        "attention",
        "history.jsonl",
        "metrics.json",
        "data_card.json",
        "test.jsonl",
        "test_long.jsonl",
        "tokenizer",
        "word_counts.json",
    }


def test_metrics_are_left_when_nothing_is_tested(lab: Any) -> None:
    config = lab.config("callbacks.progress=null", "callbacks.attention_maps=null")
    trainer = lab.trainer(*lab.components(config.callbacks), max_epochs=1, limit_val_batches=0)
    task = lab.task()
    trainer.fit(task, task.data)
    metrics = json.loads((lab.run / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["train/steps"] == 10
    assert "val/bleu" not in metrics
    # Without a validation the last state is the best one known.
    best, last = (torch.load(lab.run / "checkpoints" / f"{name}.ckpt", weights_only=True) for name in ("best", "last"))
    assert all(torch.equal(best["state_dict"][name], tensor) for name, tensor in last["state_dict"].items())


@pytest.mark.parametrize(("attention", "heads"), [("multi_head", True), ("luong_general", False)])
def test_a_figure_of_all_heads_where_there_are_some(lab: Any, attention: str, heads: bool) -> None:
    choices = [f"attention={attention}", "decoder=luong", *(["attention.heads=2"] if heads else [])]
    config = lab.config("callbacks.progress=null", "callbacks.run_files=null", *choices)
    trainer = lab.trainer(*lab.components(config.callbacks), max_epochs=1)
    task = lab.task(*choices)
    trainer.fit(task, task.data)
    drawn = {path.stem for path in (lab.run / "attention").glob("*.png")}
    single = {name for name in drawn if not name.endswith("_heads")}
    assert len(single) == 4
    assert len(drawn - single) == heads
