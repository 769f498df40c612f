"""W&B, read back from what it wrote to the disk."""

import contextlib
import io
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytorch_lightning as pl
import wandb
from wandb_records import history, media, records, summary, table

from attnlab.callbacks.loggers import close_loggers, flatten, log_config
from attnlab.callbacks.wandb_logger import WandbLogger
from attnlab.callbacks.wandb_names import multirun_group
from attnlab.callbacks.wandb_start import choose_mode
from attnlab.types import ConfigError

KEY = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_loggers(1)


@pytest.fixture
def session() -> Iterator[Callable[..., None]]:
    """Start W&B afresh, as another process would, with other environment variables."""
    with pytest.MonkeyPatch.context() as patch:

        def start(**variables: str | None) -> None:
            wandb.teardown()
            for name, value in variables.items():
                patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)

        yield start
    wandb.teardown()


class Finished(NamedTuple):
    run: Path
    printed: str  #: on standard error


@pytest.fixture(scope="module")
def finished(module_lab: Any) -> Finished:
    """A whole run as the command makes it: the callbacks and the logger of the configuration."""
    config = module_lab.config("callbacks.progress=null")
    with contextlib.redirect_stderr(io.StringIO()) as printed:
        trainer = module_lab.trainer(
            *module_lab.components(config.callbacks),
            logger=module_lab.components(config.logger),
            log_every_n_steps=2,
        )
        log_config(
            trainer.loggers,
            {"optimizer": {"lr": 0.01, "betas": [0.9, 0.999]}},
            {"attention": "luong_general"},
        )
        task = module_lab.task()
        trainer.fit(task, task.data)
        trainer.test(task, task.data, ckpt_path="best", verbose=False)
        close_loggers(0)
    return Finished(module_lab.run, printed.getvalue())


def test_run_says_what_it_is(finished: Finished) -> None:
    (run,) = records(finished.run, "run")
    assert run["project"] == "attnlab"
    assert run["display_name"] == "multi30k_luong_general_1"
    assert run["job_type"] == "train"
    assert set(run["tags"]) == {"multi30k", "luong_general", "gru", "luong", "seed-1"}
    assert "run_group" not in run  # a single run
    (end,) = records(finished.run, "exit")
    assert end.get("exit_code", 0) == 0


def test_configuration_is_flat(finished: Finished) -> None:
    logged: dict[str, Any] = {}
    for record in records(finished.run, "config"):
        logged |= record["update"]
    assert logged["attention"] == "luong_general"
    assert logged["optimizer.lr"] == 0.01
    assert logged["optimizer.betas"] == [0.9, 0.999]


def test_curves(finished: Finished) -> None:
    assert len(history(finished.run, "train/loss")) == 10  # 20 batches, every second one
    assert len(history(finished.run, "train/target_tokens_per_second")) == 2
    metrics = json.loads((finished.run / "metrics.json").read_text())
    for name in ("val/loss", "val/ppl", "val/bleu"):
        assert len(history(finished.run, name)) == 2, name
    assert max(history(finished.run, "val/bleu")) == pytest.approx(metrics["val/bleu"])
    assert history(finished.run, "test/bleu") == [pytest.approx(metrics["test/bleu"])]


def test_the_learning_rate_and_the_norm_of_the_gradient(finished: Finished) -> None:
    """Those of the updates whose loss is logged: the rate that they were made with, the norm before clipping."""
    (rate,) = {round(value, 9) for value in history(finished.run, "train/learning_rate")[:1]}
    assert 0 < rate < 0.01  # warming up
    norms = history(finished.run, "train/gradient_norm")
    assert len(norms) == len(history(finished.run, "train/learning_rate")) == len(history(finished.run, "train/loss"))
    assert all(norm > 0 for norm in norms)


def test_the_data_card_is_a_table(finished: Finished) -> None:
    card = json.loads((finished.run / "data_card.json").read_text("utf-8"))
    shown = table(finished.run, "data/card")
    rows = [dict(zip(shown["columns"], row, strict=True)) for row in shown["data"]]
    assert [row["split"] for row in rows] == list(card["splits"])
    for row in rows:
        told = card["splits"][row["split"]]
        assert row["pairs"] == told["items"]
        assert row["source: tokens"] == told["sides"]["source"]["tokens"]
        assert row["both: in train"] == told["in_train"].get("both", 0)


def test_summary_has_the_metrics(finished: Finished) -> None:
    found = summary(finished.run)
    metrics = json.loads((finished.run / "metrics.json").read_text())
    for name in (
        "bleu_signature",
        "params",
        "train/seconds",
        "peak_memory_mib",
        "test_long/chrf",
        "attention",
    ):
        assert found[name] == (pytest.approx(metrics[name]) if isinstance(metrics[name], float) else metrics[name])


def test_heatmaps_at_each_validation(finished: Finished) -> None:
    numbers = [path.stem for path in (finished.run / "attention").glob("val_*.png")]
    assert len(numbers) == 4
    for number in numbers:
        paths = [name for names in history(finished.run, f"val/attention/{number}.filenames") for name in names]
        assert len(paths) == 2
        # What was logged last is what lies in the run directory.
        assert (
            media(finished.run, paths[-1]).read_bytes() == (finished.run / "attention" / f"{number}.png").read_bytes()
        )


def test_a_test_leaves_tables_and_heatmaps(finished: Finished) -> None:
    for split in ("test", "test_long"):
        lines = [json.loads(line) for line in (finished.run / f"{split}.jsonl").read_text("utf-8").splitlines()]
        (path,) = history(finished.run, f"{split}/samples.path")
        table = json.loads(media(finished.run, path).read_text(encoding="utf-8"))
        assert table["columns"] == ["number", "source", "reference", "hypothesis"]
        assert table["data"] == [
            [number, *(line[key] for key in table["columns"][1:])] for number, line in enumerate(lines[:400])
        ]
        drawn = sorted((finished.run / "attention").glob(f"{split}_[0-9].png"))
        assert drawn
        for file in drawn:
            ((image,),) = history(finished.run, f"{split}/attention/{file.stem}.filenames")
            assert media(finished.run, image).read_bytes() == file.read_bytes()


def test_sample_translations_accumulate(finished: Finished) -> None:
    paths = history(finished.run, "val/samples.path")
    tables = [json.loads(media(finished.run, path).read_text(encoding="utf-8")) for path in paths]
    assert [len(table["data"]) for table in tables] == [8, 16]
    assert tables[0]["columns"] == ["epoch", "step", "sentence", "source", "reference", "hypothesis"]
    assert tables[1]["data"][8:] == tables[0]["data"]  # newest first
    assert [row[:2] for row in tables[1]["data"]] == [[2, 20]] * 8 + [[1, 10]] * 8
    assert [row[2] for row in tables[1]["data"][:8]] == [row[2] for row in tables[0]["data"]]


def test_artifacts_wait_in_the_run_directory(finished: Finished) -> None:
    tables = [item for item in records(finished.run, "artifact") if item["type"] == "run_table"]
    entries = [entry for item in tables for entry in item["manifest"]["contents"]]
    assert len(entries) == 5  # a table a validation, one of each tested split, and the data card
    for entry in entries:
        path = Path(entry["local_path"])
        assert path.is_file()
        assert finished.run / "wandb" / "staging" in path.parents


def test_what_is_said_is_one_line_and_how_to_sync(finished: Finished) -> None:
    (line,) = finished.printed.splitlines()
    (folder,) = (finished.run / "wandb").glob("offline-run-*")
    assert line == f"W&B: offline, as asked; to upload the run later: wandb sync {folder}"


def test_each_job_is_a_run_of_its_own_even_when_one_fails(lab: Any) -> None:
    sweep = lab.folder / "sweeps" / "mine" / "2026-01-01_00-00-00"
    for job, code in (("0_none", 1), ("1_last", 0)):
        logger = WandbLogger(str(sweep / job), group=str(sweep), name=job)
        logger.log_metrics({"loss": 1.0}, step=1)
        close_loggers(code)
        assert wandb.run is None
    for job, code in (("0_none", 1), ("1_last", 0)):
        (run,) = records(sweep / job, "run")
        assert run["run_group"] == "mine/2026-01-01_00-00-00"
        assert run["display_name"] == job
        (end,) = records(sweep / job, "exit")
        assert end.get("exit_code", 0) == code


def test_a_resumed_job_is_the_same_run(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Two processes, two parts on the disk, one run."""
    for step in (1, 2):
        logger = WandbLogger(str(lab.run), name="job")
        logger.go_on()
        logger.log_metrics({"loss": float(step)}, step=step)
        close_loggers(1 if step == 1 else 0)
        time.sleep(1.1)  # the parts are named by the second
    parts = sorted((lab.run / "wandb").glob("offline-run-*"))
    assert len(parts) == 2
    assert len({part.name.rpartition("-")[2] for part in parts}) == 1
    assert capsys.readouterr().err.count("W&B: offline") == 2

    def gone_on(folder: Path) -> str | None:
        logger = WandbLogger(str(folder), name="job")
        logger.go_on()
        return logger.version

    own = parts[0].name.rpartition("-")[2]
    shutil.copytree(lab.run, lab.folder / "copy", symlinks=True)
    assert gone_on(lab.run) == own
    assert gone_on(lab.folder / "copy") is None, "the original may go on"
    lab.run.rename(lab.folder / "renamed")
    assert gone_on(lab.folder / "renamed") == own


def test_best_checkpoint_as_artifact(lab: Any) -> None:
    config = lab.config("callbacks.progress=null", "callbacks.attention_maps=null", "logger.wandb.log_model=true")
    parts = lab.components(config.callbacks), lab.components(config.logger)
    trainer = lab.trainer(*parts[0], logger=parts[1], max_epochs=1)
    task = lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    close_loggers(0)
    (model,) = [item for item in records(lab.run, "artifact") if item["type"] == "model"]
    (entry,) = [entry for entry in model["manifest"]["contents"] if entry["path"].endswith(".ckpt")]
    assert entry["path"] == "checkpoints/best.ckpt"
    assert Path(entry["local_path"]) == lab.run / "checkpoints" / "best.ckpt"
    assert int(entry["size"]) == (lab.run / "checkpoints" / "best.ckpt").stat().st_size
    assert "best" in model["aliases"]
    assert json.loads(model["metadata"])["monitor"] == "val/bleu"


def test_no_key_means_offline_without_a_question(
    session: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session(WANDB_MODE=None, WANDB_API_KEY=None)
    logger = WandbLogger(str(tmp_path))
    logger.log_metrics({"loss": 1.0}, step=1)
    close_loggers(0)
    assert history(tmp_path, "loss") == [1]
    (line,) = capsys.readouterr().err.splitlines()
    assert "no key found" in line
    assert "wandb login" in line
    assert "wandb sync " + str(tmp_path) in line


def test_key_without_network_goes_offline_soon(
    session: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session(WANDB_MODE=None, WANDB_API_KEY=KEY)
    start = time.monotonic()
    logger = WandbLogger(str(tmp_path), init_timeout=1.0)
    logger.log_metrics({"loss": 1.0}, step=1)
    assert time.monotonic() - start < 60
    close_loggers(0)
    assert history(tmp_path, "loss") == [1]
    (line,) = [text for text in capsys.readouterr().err.splitlines() if text.startswith("W&B")]
    assert "no connection" in line
    assert "wandb sync " + str(tmp_path) in line


def test_online_without_a_key_is_an_error(session: Callable[..., None], tmp_path: Path) -> None:
    session(WANDB_MODE="online", WANDB_API_KEY=None)
    with pytest.raises(ConfigError, match="finds no key"):
        _ = WandbLogger(str(tmp_path)).experiment
    assert not (tmp_path / "wandb").exists()


def test_a_key_that_is_none_is_an_error(session: Callable[..., None], tmp_path: Path) -> None:
    session(WANDB_MODE=None, WANDB_API_KEY="secret")
    with pytest.raises(ConfigError, match="cannot use the key that it finds: WANDB_API_KEY invalid"):
        _ = WandbLogger(str(tmp_path)).experiment


def test_disabled_writes_nothing(session: Callable[..., None], lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    session(WANDB_MODE="disabled")
    config = lab.config("callbacks.progress=null")
    parts = lab.components(config.callbacks), lab.components(config.logger)
    trainer = lab.trainer(*parts[0], logger=parts[1], max_epochs=1)
    task = lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    close_loggers(0)
    assert list((lab.run / "wandb").rglob("*.wandb")) == []
    assert (lab.run / "metrics.json").is_file()
    assert "W&B" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "variable", "expected"),
    [
        (None, "offline", "offline"),
        (None, "dryrun", "offline"),
        (None, "disabled", "disabled"),
        ("offline", "disabled", "offline"),
        ("disabled", "offline", "disabled"),
        ("disabled", None, "disabled"),
    ],
)
def test_mode(monkeypatch: pytest.MonkeyPatch, option: str | None, variable: str | None, expected: str) -> None:
    monkeypatch.delenv("WANDB_MODE") if variable is None else monkeypatch.setenv("WANDB_MODE", variable)
    assert choose_mode(option).mode == expected


def test_unknown_mode_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    with pytest.raises(ConfigError, match="WANDB_MODE=onlin: expected online, offline or disabled"):
        choose_mode(None)


def test_a_staging_folder_of_the_user_stays(
    session: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(WANDB_DATA_DIR=str(tmp_path / "mine"))
    logger = WandbLogger(str(tmp_path / "run"))
    logger.log_table("table", columns=["a"], data=[[1]])
    close_loggers(0)
    assert list((tmp_path / "mine").rglob("staging/*"))
    assert not (tmp_path / "run" / "wandb" / "staging").exists()


def test_group_of_a_multirun(tmp_path: Path) -> None:
    sweep = tmp_path / "sweeps" / "types" / "2026-01-01_00-00-00"
    assert multirun_group(str(sweep), sweep / "0_none") == "types/2026-01-01_00-00-00"
    assert multirun_group(str(sweep), tmp_path / "outputs" / "grammar") is None
    assert multirun_group("by/hand", tmp_path) == "by/hand"
    assert multirun_group(None, tmp_path) is None


def test_flatten() -> None:
    nested = {
        "seed": 1,
        "optimizer": {"_target_": "torch.optim.Adam", "betas": [0.9, 0.999]},
        "trainer": {"plugins": [{"_target_": "a.B", "x": 1}]},
        "empty": {},
        "none": None,
    }
    assert flatten(nested) == {
        "seed": 1,
        "optimizer._target_": "torch.optim.Adam",
        "optimizer.betas": [0.9, 0.999],
        "trainer.plugins.0._target_": "a.B",
        "trainer.plugins.0.x": 1,
        "none": None,
    }


class Disaster(pl.Callback):
    """What becomes of W&B in the middle of a training."""

    def __init__(self, kind: str, run: Path) -> None:
        self.kind, self.run = kind, run

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch:
            return
        if self.kind == "its folder is removed":
            shutil.rmtree(self.run / "wandb")
            return
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, _, rest = stat.read_text().rpartition(")")
                if int(rest.split()[1]) == os.getpid() and "wandb" in name:
                    os.kill(int(stat.parent.name), signal.SIGKILL)
                    time.sleep(0.5)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the process in /proc")
@pytest.mark.parametrize("kind", ["its process is killed", "its folder is removed"])
def test_a_training_outlives_wandb(lab: Any, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = lab.config("callbacks.progress=null")
    loggers = lab.components(config.logger)
    trainer = lab.trainer(*lab.components(config.callbacks), Disaster(kind, lab.run), logger=loggers)
    task = lab.task()
    trainer.fit(task, task.data)
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    close_loggers(0)
    assert "test/bleu" in json.loads((lab.run / "metrics.json").read_text())
    assert capsys.readouterr().err.count("W&B: lost (") == 1
    again = lab.components(lab.config("callbacks.progress=null").logger)  # the next job of a multirun
    again[0].log_metrics({"a": 1.0}, 1)
    close_loggers(0)
    assert "lost" not in capsys.readouterr().err


def test_a_service_that_has_ended_is_not_waited_for(lab: Any, session: Callable[..., None]) -> None:
    """As in a process whose parent used W&B and was killed: the environment names a service that is gone."""
    session(WANDB_SERVICE=f"3-999999-unix-{lab.run}/socket")
    (logger,) = lab.components(lab.config("callbacks.progress=null").logger)
    logger.log_metrics({"a": 1.0}, 1)
    close_loggers(0)
    assert not logger.lost
    assert history(lab.run, "a") == [1.0]


def test_a_training_goes_on_where_wandb_cannot_begin(
    lab: Any, session: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session()

    def refused(*_: Any, **__: Any) -> None:
        raise wandb.errors.CommError("the service does not start")

    monkeypatch.setattr(wandb, "setup", refused)
    config = lab.config("callbacks.progress=null")
    loggers = lab.components(config.logger)
    loggers[0].log_hyperparams({"seed": 1})
    trainer = lab.trainer(*lab.components(config.callbacks), logger=loggers)
    task = lab.task()
    trainer.fit(task, task.data)
    loggers[0].experiment.summary.update({"a": 1})  # as somebody's own callback would
    trainer.test(task, task.data, ckpt_path="best", verbose=False)
    close_loggers(0, loggers)
    assert "test/bleu" in json.loads((lab.run / "metrics.json").read_text())
    assert capsys.readouterr().err.count("W&B: lost (the service does not start); the run goes on without it") == 1
