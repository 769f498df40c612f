"""The loggers of conf/logger other than W&B, and the trainers of conf/trainer."""

import csv
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate

from attnlab.callbacks.csv_logger import CsvLogger
from attnlab.callbacks.loggers import close_loggers, log_config
from attnlab.callbacks.mlflow_logger import MlflowLogger
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


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all tests here: to make a data base takes seconds."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def tracked(store: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own client."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return mlflow.MlflowClient(f"sqlite:///{store / 'mlflow.db'}")


def all_files(client: Any, run: str, folder: str | None = None) -> set[str]:
    found: set[str] = set()
    for entry in client.list_artifacts(run, folder):
        found |= all_files(client, run, entry.path) if entry.is_dir else {entry.path}
    return found


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow(lab: Any, tracked: Any, store: Path) -> None:
    folder = train(lab, "logger=mlflow", "tags=[paper]", "notes=a try", f"logger.mlflow.store={store}")
    (experiment,) = (item for item in tracked.search_experiments() if item.name == "attnlab")
    (run,) = tracked.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "multi30k_luong_general_1"
    assert {"train/loss", "val/bleu", "test/bleu", "params"} <= set(run.data.metrics)
    assert run.data.metrics["test/bleu"] == pytest.approx(
        json.loads((folder / "metrics.json").read_text())["test/bleu"]
    )
    assert run.data.params["optimizer.lr"] == "0.1"
    assert {"paper": "yes", "mlflow.note.content": "a try", "seed": "1"}.items() <= run.data.tags.items()
    files = all_files(tracked, run.info.run_id)
    drawn = {path.stem for path in (folder / "attention").glob("test_*.png")}
    assert {f"{name.rpartition('_')[0]}/attention/{name}.png" for name in drawn} <= files
    assert {"val/samples.md", "test/samples.md"} <= files
    assert len([name for name in files if name.startswith("val/attention/val_")]) == 4


@pytest.mark.filterwarnings("ignore")
def test_a_resumed_training_is_the_same_run_of_mlflow(lab: Any, tracked: Any, store: Path, tmp_path: Path) -> None:
    first = MlflowLogger(str(lab.run), str(store), experiment="resumed")
    first.log_hyperparams({"lr": 0.1, "seed": 1})
    first.log_metrics({"val/bleu": 1.0}, 1)
    first.finalize("failed")
    again = MlflowLogger(str(lab.run), str(store), experiment="resumed")
    again.go_on()
    again.log_hyperparams({"lr": 0.2, "seed": 1, "new": 3})
    again.log_metrics({"val/bleu": 2.0}, 2)
    again.finalize("success")
    assert again.run_id == first.run_id
    run = tracked.get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"lr": "0.1", "seed": "1", "new": "3"}
    assert run.data.tags["resumed.lr"] == "0.2"
    assert "resumed.seed" not in run.data.tags
    assert [item.value for item in tracked.get_metric_history(first.run_id, "val/bleu")] == [1.0, 2.0]
    shutil.copytree(lab.run, tmp_path / "copy")
    copied = MlflowLogger(str(tmp_path / "copy"), str(store), experiment="resumed")
    copied.go_on()
    copied.log_hyperparams({})
    assert copied.run_id != first.run_id


def gone(*_: Any, **__: Any) -> None:
    """As a server answers that is not there."""
    from mlflow.exceptions import MlflowException

    raise MlflowException("no such server")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("tracked")
def test_a_training_outlives_mlflow(
    lab: Any, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = MlflowLogger(str(lab.run), str(store))
    monkeypatch.setattr(logger.experiment, "log_batch", gone)
    for step in range(3):
        logger.log_metrics({"loss": 1.0}, step)
    told = capsys.readouterr().err
    assert told.count("MLflow: lost (no such server); the run goes on without it") == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("tracked")
def test_a_training_goes_on_where_mlflow_cannot_begin(
    lab: Any, store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", gone)
    logger = MlflowLogger(str(lab.run), str(store))
    logger.log_hyperparams({"lr": 0.1})
    task = lab.task()
    lab.trainer(logger=logger, max_epochs=1).fit(task, task.data)
    assert not (lab.run / "mlflow.json").exists()
    told = capsys.readouterr().err
    assert told.count("MLflow: lost (no such server); the run goes on without it") == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("tracked")
def test_where_mlflow_cannot_write(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(ConfigError, match=r"MLflow cannot use sqlite:.*expected a server's address"):
        MlflowLogger(str(lab.run), str(tmp_path), tracking_uri=f"sqlite:///{tmp_path}/file/mlflow.db")


def test_mlflow_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnlab.callbacks.mlflow_logger.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"attnlab\[mlflow\]"):
        MlflowLogger(str(tmp_path), str(tmp_path))


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
