"""Which states are kept."""

import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from attnlab.callbacks.checkpoints import Checkpoints, validates_after
from attnlab.callbacks.early_stopping import EarlyStopping
from attnlab.cli.errors import user_error
from attnlab.tasks.translation import VALIDATED
from attnlab.tasks.translation.evaluation import SplitMetrics
from attnlab.types import ConfigError


class Scripted(pl.Callback):
    """Replaces the validation loss by given values."""

    def __init__(self, values: list[float]) -> None:
        self.values = iter(values)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log("score", next(self.values))


def steps(folder: Path) -> dict[str, int]:
    return {path.stem: torch.load(path, weights_only=True)["global_step"] for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [
        ("max", [1.0, 3.0, 2.0], 20),
        ("min", [2.0, 3.0, 2.0], 10),  # of equals the first
        ("max", [float("nan"), 1.0, float("nan")], 20),
        ("min", [float("nan"), 5.0, 7.0], 20),
    ],
)
def test_best_and_last(lab: Any, mode: Any, values: list[float], best: int) -> None:
    checkpoints = Checkpoints(str(lab.run), monitor="score", mode=mode)
    task = lab.task()
    lab.trainer(Scripted(values), checkpoints, max_epochs=3).fit(task, task.data)
    assert steps(lab.run) == {"best": best, "last": 30, "last-1": 20}


KEYS = tuple(quantity.key("val") for quantity in VALIDATED)


@pytest.mark.parametrize("monitor", KEYS)
def test_the_best_is_the_best_whatever_is_monitored(lab: Any, monitor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word about the mode: best.ckpt, early stopping and the plateau schedule know which way is better."""
    epochs, compute = count(), SplitMetrics.compute

    def worse_and_worse(self: SplitMetrics, split: str) -> dict[str, float]:
        measured, epoch = compute(self, split), next(epochs)
        assert tuple(sorted(measured)) == KEYS
        return {name: 10.0 - epoch if name == "val/bleu" else 10.0 + epoch for name in measured}

    monkeypatch.setattr(SplitMetrics, "compute", worse_and_worse)
    checkpoints, stopping = Checkpoints(str(lab.run), monitor), EarlyStopping(monitor, patience=2)
    task = lab.task(f"scheduler.monitor={monitor}", "scheduler=plateau", "scheduler.make.patience=0")
    trainer = lab.trainer(checkpoints, stopping, max_epochs=9)
    trainer.fit(task, task.data)
    assert steps(lab.run) == {"best": 10, "last": 30, "last-1": 20}, "the first epoch is the best, the third the last"
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.25 * task.make_optimizer.keywords["lr"])


def test_a_monitored_quantity_that_nobody_logs(lab: Any) -> None:
    for callback in (Checkpoints(str(lab.run), "nowhere", "max"), EarlyStopping("nowhere", "max")):
        task = lab.task()
        with pytest.raises((ConfigError, MisconfigurationException), match=r"nowhere.*val/bleu") as caught:
            lab.trainer(callback, max_epochs=1).fit(task, task.data)
        assert user_error(caught.value) is caught.value, "one line, no traceback"


def test_contradictions_are_refused(lab: Any) -> None:
    for make in (lambda **said: Checkpoints(str(lab.run), **said), EarlyStopping):
        with pytest.raises(ConfigError, match="mode=max, and of val/loss the lower is the better"):
            make(monitor="val/loss", mode="max")
        with pytest.raises(ConfigError, match="set it to min or max"):
            make(monitor="mine")


class Spy(pl.Callback):
    """The updates after which last.ckpt was found changed."""

    def __init__(self, path: Path) -> None:
        self.path, self.seen = path, [0]

    def look(self, trainer: pl.Trainer, *_: Any) -> None:
        if self.path.is_file():
            step = torch.load(self.path, weights_only=True)["global_step"]
            if step != self.seen[-1]:
                self.seen.append(step)

    on_train_batch_start = on_train_end = look  # type: ignore[assignment]


def test_last_within_an_epoch(lab: Any) -> None:
    checkpoints = Checkpoints(str(lab.run), monitor="val/loss", mode="min", every_n_steps=4)
    spy, task = Spy(lab.run / "last.ckpt"), lab.task()
    lab.trainer(checkpoints, spy).fit(task, task.data)
    assert spy.seen == [0, 4, 8, 10, 12, 16, 20]


def test_steps_are_updates_when_gradients_accumulate(lab: Any) -> None:
    checkpoints = Checkpoints(str(lab.run), monitor="val/loss", mode="min", every_n_steps=2)
    spy, task = Spy(lab.run / "last.ckpt"), lab.task()
    lab.trainer(checkpoints, spy, max_epochs=1, accumulate_grad_batches=3).fit(task, task.data)
    assert spy.seen == [0, 2, 4]  # batches 6 and 10; the last one closes a short window


class Validations(pl.Callback):
    """Batches after which Lightning did validate, and those after which it was expected to."""

    def __init__(self) -> None:
        self.expected: set[tuple[int, int]] = set()
        self.actual: set[tuple[int, int]] = set()
        self.now = (0, 0)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.now = trainer.current_epoch, batch_idx
        if not trainer.is_last_batch and validates_after(trainer, batch_idx):
            self.expected.add(self.now)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.now[1] != 9:
            self.actual.add(self.now)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"val_check_interval": 3},
        {"val_check_interval": 0.5},
        {"val_check_interval": 7, "check_val_every_n_epoch": None},
        {"val_check_interval": 4, "check_val_every_n_epoch": 2},
        {"limit_val_batches": 0, "val_check_interval": 3},
    ],
    ids=str,
)
def test_knows_when_lightning_validates(lab: Any, options: dict[str, Any]) -> None:
    validations, task = Validations(), lab.task()
    lab.trainer(validations, max_epochs=3, **options).fit(task, task.data)
    assert validations.expected == validations.actual
    assert bool(validations.actual) == (len(options) > 0 and options.get("limit_val_batches") != 0)


def test_a_lost_best_checkpoint_is_told(lab: Any) -> None:
    task = lab.task()
    lab.trainer(Checkpoints(str(lab.folder / "a"), "val/loss", "min"), max_epochs=1).fit(task, task.data)
    (lab.folder / "a" / "best.ckpt").unlink()
    task, checkpoints = lab.task(), Checkpoints(str(lab.folder / "b"), "val/loss", "min")
    with pytest.warns(UserWarning, match=r"best\.ckpt, is gone"):
        lab.trainer(checkpoints).fit(task, task.data, ckpt_path=str(lab.folder / "a" / "last.ckpt"))
    assert steps(lab.folder / "b") == {"best": 20, "last": 20, "last-1": 10}


def resumed(lab: Any, folder: Path, values: list[float], last: str = "last.ckpt", epochs: int = 3) -> Checkpoints:
    """A training of three epochs that goes on in a folder, with these scores."""
    task, checkpoints = lab.task(), Checkpoints(str(folder), "score", "max")
    path = str(folder / last) if (folder / last).is_file() else None
    lab.trainer(Scripted(values), checkpoints, max_epochs=epochs).fit(task, task.data, ckpt_path=path)
    return checkpoints


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


EXISTS = pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")


@EXISTS
def test_a_renamed_folder_has_its_best_checkpoint(lab: Any) -> None:
    resumed(lab, lab.folder / "before", [1.0, 5.0], epochs=2)
    lab.run.parent.mkdir(exist_ok=True)
    (lab.folder / "before").rename(lab.run)
    checkpoints = resumed(lab, lab.run, [3.0])
    assert steps(lab.run) == {"best": 20, "last": 30, "last-1": 20}
    assert (checkpoints.best_model_score, checkpoints.best_model_path) == (5.0, str(lab.run / "best.ckpt"))
    assert not (lab.folder / "before").exists()


@EXISTS
@pytest.mark.parametrize("link", [False, True])
def test_a_copy_has_nothing_to_do_with_the_original(lab: Any, link: bool) -> None:
    """The original went on, and to a better checkpoint, which is not what the copy has trained."""
    original = lab.folder / "original"
    resumed(lab, original, [2.0, 1.0], epochs=2)
    shutil.copytree(original, lab.run)
    resumed(lab, original, [9.0])
    before = contents(original)
    if link:
        (lab.folder / "link").symlink_to(lab.run)
    checkpoints = resumed(lab, lab.folder / "link" if link else lab.run, [1.5])
    assert contents(original) == before
    assert steps(original)["best"] == 30
    assert steps(lab.run) == {"best": 10, "last": 30, "last-1": 20}
    assert (checkpoints.best_model_score, Path(checkpoints.best_model_path).resolve()) == (2.0, lab.run / "best.ckpt")


@EXISTS
def test_a_copy_without_its_best_checkpoint_takes_none_of_the_original(lab: Any) -> None:
    original = lab.folder / "original"
    resumed(lab, original, [9.0, 1.0], epochs=2)
    lab.run.mkdir(parents=True)
    shutil.copy(original / "last.ckpt", lab.run / "last.ckpt")
    with pytest.warns(UserWarning, match=r"run/best\.ckpt, is gone: the next validation counts as the best again"):
        checkpoints = resumed(lab, lab.run, [1.5])
    assert steps(lab.run)["best"] == 30
    assert checkpoints.best_model_score == 1.5


@EXISTS
def test_where_nothing_is_validated_any_more_the_last_state_takes_its_place(lab: Any) -> None:
    """Killed while it was tested, and the best checkpoint damaged since."""
    resumed(lab, lab.run, [9.0, 1.0, 1.0])
    content = bytearray((lab.run / "best.ckpt").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (lab.run / "best.ckpt").write_bytes(content)
    with pytest.warns(UserWarning, match="best.ckpt") as told:
        checkpoints = resumed(lab, lab.run, [])
    lines = [str(warning.message) for warning in told]
    assert any("best.ckpt, is damaged: its checksum is another one" in line for line in lines)
    assert any("there was no validation since: the last state takes the place of best.ckpt" in line for line in lines)
    assert checkpoints.best_model_path == str(lab.run / "best.ckpt")
    assert steps(lab.run)["best"] == 30


@EXISTS
def test_the_score_is_that_of_the_weights_where_a_kill_came_between(lab: Any) -> None:
    """After best.ckpt of the second epoch, before its last.ckpt; and then the training takes another way."""
    resumed(lab, lab.run, [1.0, 5.0], epochs=2)
    (lab.run / "last-1.ckpt").replace(lab.run / "last.ckpt")
    checkpoints = resumed(lab, lab.run, [2.0, 3.0])
    assert steps(lab.run)["best"] == 20
    assert checkpoints.best_model_score == checkpoints.current_score == 5.0
