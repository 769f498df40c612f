"""The loggers of conf/logger other than W&B, and the trainers of conf/trainer."""

import csv
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate

from attnlab.callbacks.csv_logger import CsvLogger
from attnlab.callbacks.loggers import close_loggers, log_config
from attnlab.callbacks.tensorboard_logger import TensorBoardLogger
from attnlab.types import ConfigError


def train(lab: Any, *overrides: str) -> Path:
    """A whole smoke run as the configuration has it."""
    config = lab.config("trainer=smoke", "trainer.accelerator=cpu", "callbacks.progress=null", *overrides)
    callbacks, loggers = lab.components(config.callbacks), lab.components(config.logger)
    trainer = instantiate(config.trainer, callbacks=callbacks, logger=loggers, enable_progress_bar=False)
    log_config(trainer.loggers, {"seed": 1, "optimizer": {"lr": 0.1}}, {"attention": "none"})
    task = lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    close_loggers(0)
    assert trainer.global_step == 2
    return Path(lab.run)


def test_csv(lab: Any) -> None:
    run = train(lab, "logger=csv")
    with (run / "csv" / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len([row for row in rows if row["train/loss"]]) == 2
    assert len([row for row in rows if row["test/bleu"]]) == 1
    assert "optimizer.lr: 0.1" in (run / "csv" / "hparams.yaml").read_text()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TensorBoard's own
def test_tensorboard(lab: Any) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(lab, "logger=tensorboard")
    events = event_accumulator.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "val/bleu", "test/bleu", "train/target_tokens_per_second"} <= set(tags["scalars"])
    of_validation = {tag for tag in tags["images"] if tag.startswith("val/attention/val_")}
    assert len(of_validation) == 4
    tested = set(tags["images"]) - of_validation
    drawn = {path.stem for path in (run / "attention").glob("test_*.png")}
    assert {f"test_{number}" for number in range(4)} <= drawn
    assert tested == {f"{name.rpartition('_')[0]}/attention/{name}" for name in drawn}
    assert "val/samples/text_summary" in tags["tensors"]
    text = events.Tensors("val/samples/text_summary")[0].tensor_proto.string_val[0].decode()
    assert text.splitlines()[0] == "| epoch | step | sentence | source | reference | hypothesis |"
    assert "optimizer.lr: 0.1" in (run / "tensorboard" / "hparams.yaml").read_text()


def test_tensorboard_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "attnlab.callbacks.tensorboard_logger.find_spec", lambda name: None if name == "tensorboard" else real(name)
    )
    with pytest.raises(ConfigError, match=r"attnlab\[tensorboard\]"):
        TensorBoardLogger(str(tmp_path))


def test_none_leaves_the_run_files_only(lab: Any) -> None:
    run = train(lab, "logger=none")
    assert {path.name for path in run.iterdir()} == {
        "attention",
        "checkpoints",
        "history.jsonl",
        "metrics.json",
        "data_card.json",
        "test.jsonl",
        "test_long.jsonl",
        "tokenizer",
        "word_counts.json",
    }


@pytest.mark.parametrize("name", ["default", "cpu", "smoke"])
def test_trainers_can_be_built(lab: Any, name: str) -> None:
    config = lab.config(f"trainer={name}", "logger=none")
    trainer = instantiate(config.trainer, logger=False)
    assert trainer.max_epochs == (1 if name == "smoke" else config.trainer.max_epochs)
    assert trainer.num_sanity_val_steps == 0


def test_closing_without_a_run_does_nothing() -> None:
    close_loggers(0)
    close_loggers(1)


def test_going_on_keeps_the_tables_of_csv(tmp_path):
    """Lightning's own logger deletes what is there; the parts of a training lie side by side."""
    for part in range(3):
        logger = CsvLogger(str(tmp_path))
        if part:
            logger.go_on()
        logger.log_metrics({"part": part}, step=part)
        logger.finalize("success")
    tables = {path.parent.name: path.read_text("utf-8").splitlines()[1] for path in tmp_path.glob("*/metrics.csv")}
    assert tables == {"csv": "0,0", "csv-2": "1,1", "csv-3": "2,2"}
