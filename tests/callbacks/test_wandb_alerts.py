"""Alerts, and what W&B's page of logs has, read back from the disk."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import wandb
from wandb_records import console, records
from wandb_stand_in import standing_in

from attnlab.callbacks.loggers import close_loggers
from attnlab.callbacks.non_finite import NonFinite
from attnlab.callbacks.wandb_logger import WandbLogger
from attnlab.errors import NonFiniteError


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_loggers(1)


class Spoil(pl.Callback):
    """Makes a gradient NaN in these batches."""

    def __init__(self, *batches: int) -> None:
        self.batches = batches

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.fit_loop.batch_idx in self.batches:
            next(pl_module.parameters()).grad[0] = torch.nan  # type: ignore[index]


@pytest.mark.filterwarnings("ignore:.*it was left out:UserWarning")
@pytest.mark.parametrize(
    ("action", "batches", "titles"),
    [
        ("stop", (1,), ["Training has diverged"]),
        ("skip", (1, 3), ["An update was not finite"]),
        ("skip", (1, 2), ["An update was not finite", "Training has diverged"]),
    ],
)
def test_a_training_that_diverges_raises_an_alert(
    lab: Any, action: Any, batches: tuple[int, ...], titles: list[str]
) -> None:
    logger = WandbLogger(str(lab.run))
    guard = NonFinite(str(lab.run / "non_finite"), action, most_in_a_row=2)
    trainer = lab.trainer(Spoil(*batches), guard, logger=logger, max_epochs=1)
    task = lab.task()
    ended = ""
    try:
        trainer.fit(task, task.data)
    except NonFiniteError as error:
        ended = str(error)
    close_loggers(0)
    alerts = records(lab.run, "alert")
    assert [alert["title"] for alert in alerts] == titles
    assert {alert["level"] for alert in alerts} == {"ERROR"}
    assert "update 2 (epoch 1, batch 2): the gradient is not finite" in alerts[0]["text"]
    if ended:
        assert alerts[-1]["text"] == ended


def test_an_alert_is_sent_at_once(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP, where W&B is online: to a server that stands in for its own."""
    with standing_in() as server:
        wandb.teardown()
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        guard = NonFinite(str(lab.run / "non_finite"))
        trainer = lab.trainer(Spoil(1), guard, logger=WandbLogger(str(lab.run)), max_epochs=1)
        task = lab.task()
        with pytest.raises(NonFiniteError):
            trainer.fit(task, task.data)
        close_loggers(1)
        wandb.teardown()
        (alert,) = [told for name, told in server.asked if name == "NotifyScriptableRunAlert"]
        assert (alert["title"], alert["severity"]) == ("Training has diverged", "ERROR")
        assert "the gradient is not finite" in alert["text"]
        (run,) = server.runs.values()
        assert run.ended == 1
        assert server.faults == []


def test_a_good_training_raises_none(lab: Any) -> None:
    logger = WandbLogger(str(lab.run))
    trainer = lab.trainer(NonFinite(str(lab.run / "non_finite")), logger=logger, max_epochs=1)
    task = lab.task()
    trainer.fit(task, task.data)
    close_loggers(0)
    assert not records(lab.run, "alert")


@pytest.fixture
def log(lab: Any) -> Iterator[Path]:
    """A run's log, as Hydra opens one."""
    lab.run.mkdir(parents=True)
    path = Path(lab.run, "train.log")
    handler = logging.FileHandler(path)
    logging.getLogger().addHandler(handler)
    yield path
    logging.getLogger().removeHandler(handler)
    handler.close()


def test_what_the_console_shows_goes_to_the_page_of_logs(lab: Any, log: Path) -> None:
    log.write_text("before\n")
    logger = WandbLogger(str(lab.run))
    logger.log_metrics({"loss": 1.0}, 1)
    with log.open("a") as file:
        file.write("half of ")
        file.flush()
        logger.log_metrics({"loss": 1.0}, 2)
        file.write("a line\n")
    close_loggers(1, [logger], "Traceback: it was a bug\n")
    shown = console(lab.run)
    assert shown.index("before") < shown.index("half of a line\n") < shown.index("it was a bug")


def test_a_resumed_training_does_not_tell_it_again(lab: Any, log: Path) -> None:
    log.write_text("of an earlier process\n")
    logger = WandbLogger(str(lab.run))
    logger.console.go_on()
    with log.open("a") as file:
        file.write("of this one\n")
    logger.log_metrics({"loss": 1.0}, 1)
    close_loggers(0, [logger])
    assert console(lab.run) == "of this one\n"
