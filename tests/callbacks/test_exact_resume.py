"""A training that was killed and resumed ends where one ends that ran through: bit for bit."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from some_often import some_often

from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.history_file import HistoryFile
from attnlab.callbacks.new_settings import NewSettings
from attnlab.callbacks.random_state import RandomState, capture, restore
from attnlab.callbacks.run_files import training_metrics
from attnlab.callbacks.throughput import Throughput
from attnlab.private.torch import reorders_bfloat16

EPOCHS, BATCHES = 2, 10


TRANSFORMER = [
    "attention=multi_head", "attention.heads=2", "encoder.layers=1", "encoder.layer.heads=2", "decoder.layers=2",
    "decoder.layer.heads=2",
]  # fmt: skip


class KilledError(Exception):
    """Stands for the end of the process."""


class Kill(pl.Callback):
    """Stop before the batch that would follow ``batches`` of all epochs."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.total_batch_idx + 1 >= self.batches:
            raise KilledError


class Stop(pl.Callback):
    """Ask the trainer to stop after so many updates, as the clock of ``trainer.max_time`` does."""

    def __init__(self, updates: int) -> None:
        self.updates = updates

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        trainer.should_stop = trainer.global_step == self.updates


class Validations(pl.Callback):
    """Every validation: (updates so far, loss)."""

    def __init__(self) -> None:
        self.losses: list[tuple[int, float]] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.losses.append((trainer.global_step, float(trainer.callback_metrics["val/loss"])))


class Outcome:
    def __init__(self, trainer: pl.Trainer, task: pl.LightningModule, parts: list[pl.Callback]) -> None:
        self.trainer, self.weights = trainer, task.state_dict()
        self.checkpoints, self.throughput, self.validations, self.history = parts[:4]

    @property
    def curve(self) -> list[dict[str, Any]]:
        """The lines of history.jsonl, without the clock."""
        lines = self.history.path.read_text(encoding="utf-8").splitlines()
        return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture
def train(lab: Any, tmp_path: Path) -> Callable[..., Outcome]:
    def run(
        folder: str,
        *overrides: str,
        kill: int | None = None,
        stop: int | None = None,
        patience: int | None = None,
        resume: str | None = None,
        every_n_steps: int | None = None,
        data: dict[str, Any] | None = None,
        **options: Any,
    ) -> Outcome:
        task = lab.task("task.teacher_forcing.probability=0.5", *overrides, **(data or {}))
        if resume:  # what a fresh process would have in its generators is anyone's guess
            pl.seed_everything(12345, verbose=False)
        best = Checkpoints(str(tmp_path / folder), monitor="val/loss", mode="min", every_n_steps=every_n_steps)
        parts = [
            best,
            Throughput(),
            Validations(),
            HistoryFile(str(tmp_path / folder / "history.jsonl")),
            RandomState(),
        ]
        if kill:
            parts.append(Kill(kill))
        if patience is not None:
            parts.append(early_stopping(patience))
        if stop:
            parts.append(Stop(stop))
        parts.append(NewSettings())
        fit = lab.trainer(*parts, **{"max_epochs": EPOCHS, **options})
        path = str(tmp_path / resume / "last.ckpt") if resume else None
        if kill:
            with pytest.raises(KilledError):
                fit.fit(task, task.data, ckpt_path=path)
        else:
            fit.fit(task, task.data, ckpt_path=path)
        return Outcome(fit, task, parts)

    return run


CASES = {
    "within an epoch": {"kill": 16, "every_n_steps": 3},
    "between epochs": {"kill": 11},
    "before the first validation": {"kill": 4, "every_n_steps": 2},
    "at a validation within an epoch": {"kill": 17, "every_n_steps": 5, "val_check_interval": 5},
    "between validations counted over epochs": {
        "kill": 19,
        "every_n_steps": 4,
        "val_check_interval": 4,
        "check_val_every_n_epoch": None,
    },
    "while gradients accumulate": {"kill": 16, "every_n_steps": 1, "accumulate_grad_batches": 3},
    "with worker processes": {"kill": 16, "every_n_steps": 3, "data": {"num_workers": 2}},
    "counted in updates only": {"kill": 16, "max_epochs": -1, "max_steps": 27},
    "counted in updates only, within an epoch": {"kill": 16, "max_epochs": -1, "max_steps": 27, "every_n_steps": 4},
    "counted in both": {"kill": 11, "max_steps": 20, "max_epochs": 3},
    "before the last update": {"kill": 26, "max_epochs": -1, "max_steps": 27, "every_n_steps": 5},
    "in updates of several batches": {
        "kill": 22,
        "max_epochs": -1,
        "max_steps": 9,
        "every_n_steps": 1,
        "accumulate_grad_batches": 3,
    },
    "with few batches": {"kill": 11, "limit_train_batches": 6, "every_n_steps": 4},
    "with a part of the batches": {"kill": 13, "limit_train_batches": 0.5, "every_n_steps": 2, "max_epochs": 3},
    "with few batches, counted in updates": {
        "kill": 14,
        "limit_train_batches": 6,
        "max_epochs": -1,
        "max_steps": 16,
        "every_n_steps": 5,
    },
    "validating every half of an epoch": {"kill": 18, "every_n_steps": 3, "val_check_interval": 0.5},
    "validating every second epoch": {"kill": 21, "check_val_every_n_epoch": 2, "max_epochs": 4},
    "validating at odd times, counted in updates": {
        "kill": 24,
        "every_n_steps": 4,
        "val_check_interval": 7,
        "check_val_every_n_epoch": None,
        "max_epochs": -1,
        "max_steps": 28,
    },
    "with a limit of time": {"kill": 16, "every_n_steps": 3, "max_time": "00:01:00:00"},
    "on the same batches": {"kill": 7, "overfit_batches": 3, "every_n_steps": 2, "max_epochs": 4},
    "in bf16-mixed": {"kill": 16, "every_n_steps": 3, "precision": "bf16-mixed"},
    "in bf16-true": {"kill": 16, "every_n_steps": 3, "precision": "bf16-true"},
    "a Transformer": {"kill": 16, "every_n_steps": 3, "overrides": TRANSFORMER},
    "with batches of so many tokens": {
        "kill": 13,
        "every_n_steps": 3,
        "data": {"batch_size": None, "batch_tokens": 30},
    },
    "with falling teacher forcing": {
        "kill": 16,
        "every_n_steps": 3,
        "overrides": ["task.teacher_forcing.decay=inverse_sigmoid", "task.teacher_forcing.steps=5"],
    },
    "drawing alignments": {"kill": 16, "every_n_steps": 3, "overrides": ["attention=hard_sampled"]},
}


# One of each kind; the others are run on demand.
KINDS = (
    "within an epoch",
    "between epochs",
    "before the first validation",
    "while gradients accumulate",
    "with worker processes",
    "counted in updates only, within an epoch",
    "validating every half of an epoch",
)


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning")  # on one core
@pytest.mark.parametrize("case", [pytest.param(case, marks=[pytest.mark.long] * (case not in KINDS)) for case in CASES])
def test_resume_is_bit_identical(train: Callable[..., Outcome], case: str) -> None:
    options: dict[str, Any] = dict(CASES[case])
    if options.get("precision") == "bf16-mixed" and not reorders_bfloat16():
        pytest.skip("this processor has no LSTM in bfloat16")
    kill, overrides = options.pop("kill"), options.pop("overrides", [])
    whole = train("whole", *overrides, **options)
    first = train("first", *overrides, kill=kill, **options)
    rest = train("rest", *overrides, resume="first", **options)
    assert whole.weights.keys() == rest.weights.keys()
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)
    assert any(not torch.equal(whole.weights[name], first.weights[name]) for name in whole.weights)
    validations = dict(first.validations.losses) | dict(rest.validations.losses)
    assert validations == dict(whole.validations.losses)
    assert rest.throughput.units == whole.throughput.units
    assert rest.checkpoints.best_model_score == whole.checkpoints.best_model_score
    assert rest.curve == whole.curve
    assert [point["step"] for point in whole.curve if "val/loss" in point] == [
        step for step, _ in whole.validations.losses
    ]


RISING = ["scheduler=plateau", "scheduler.make.patience=0", "optimizer.lr=1.0"]  # the loss rises at this rate
SCHEDULES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "luong_halving": (["scheduler=luong_halving", "scheduler.make.full_epochs=1"], {"kill": 11}),
    "warmup_inverse_sqrt": (["scheduler=warmup_inverse_sqrt", "scheduler.make.warmup=4"], {"kill": 11}),
    "plateau": (RISING, {"kill": 11}),
    "plateau within an epoch": (RISING, {"kill": 16, "every_n_steps": 3}),
    "plateau, validating within an epoch": (RISING, {"kill": 17, "every_n_steps": 5, "val_check_interval": 5}),
    "plateau, counted in updates": (
        RISING,
        {"kill": 16, "every_n_steps": 3, "max_epochs": -1, "max_steps": 30},
    ),
    "plateau, validating every second epoch": (
        RISING,
        {"kill": 26, "every_n_steps": 3, "check_val_every_n_epoch": 2, "max_epochs": 5},
    ),
    "plateau of steps": (
        [*RISING, "scheduler.interval=step", "scheduler.monitor=train/loss"],
        {"kill": 17, "every_n_steps": 3},
    ),
    "plateau of steps, at a validation": (
        [*RISING, "scheduler.interval=step", "scheduler.monitor=train/loss"],
        {"kill": 17, "every_n_steps": 5, "val_check_interval": 5},
    ),
}


OFTEN = (
    "warmup_inverse_sqrt",
    "plateau within an epoch",
    "plateau, validating within an epoch",
)


@pytest.mark.parametrize(
    "case", [case if case in OFTEN else pytest.param(case, marks=pytest.mark.long) for case in SCHEDULES]
)
def test_schedules_resume_exactly(train: Callable[..., Outcome], case: str) -> None:
    choice, options = SCHEDULES[case]
    kill, options = options["kill"], {"max_epochs": 3} | {k: v for k, v in options.items() if k != "kill"}
    whole = train("whole", *choice, **options)
    train("first", *choice, kill=kill, **options)
    rest = train("rest", *choice, resume="first", **options)
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)
    rates = {point["learning_rate"] for point in whole.curve}
    assert len(rates) > 1, "the schedule did nothing"
    assert rest.curve == whole.curve


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning")  # on one core
@pytest.mark.parametrize("workers", [(0, 2), (2, 0)], ids=str)
@pytest.mark.long
def test_worker_processes_may_come_and_go(train: Callable[..., Outcome], workers: tuple[int, int]) -> None:
    before, after = ({"num_workers": number} for number in workers)
    whole = train("whole", every_n_steps=3, data=before)
    train("first", kill=16, every_n_steps=3, data=before)
    rest = train("rest", resume="first", every_n_steps=3, data=after)
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)


def early_stopping(patience: int) -> EarlyStopping:
    return EarlyStopping("val/loss", mode="min", patience=patience, check_on_train_epoch_end=False)


ENDS: dict[str, dict[str, Any]] = {
    "of its epochs": {"max_epochs": 2},
    "of its updates": {"max_epochs": -1, "max_steps": 20},
    "of its updates, within an epoch": {"max_epochs": -1, "max_steps": 14},
    "of patience": {"overrides": ["optimizer.lr=1.0"], "max_epochs": 6, "patience": 0},
    "of patience, within an epoch": {
        "overrides": ["optimizer.lr=1.0"],
        "max_epochs": 6,
        "patience": 0,
        "val_check_interval": 5,
    },
    "of its epochs, without a validation": {"max_epochs": 2, "limit_val_batches": 0},
}


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
@pytest.mark.parametrize("folder", ["first", "rest"])
@pytest.mark.parametrize("end", some_often(ENDS))
def test_a_training_at_its_end_is_over(train: Callable[..., Outcome], folder: str, end: str) -> None:
    """As when it is killed while it is tested: nothing is trained, and the test has all that it had."""
    options = dict(ENDS[end])
    overrides = options.pop("overrides", [])
    first = train("first", *overrides, **options)
    found = torch.rand(())
    state, curve, best = first.weights, first.curve, Path(first.checkpoints.best_model_path).name
    epochs, measured = training_metrics(first.trainer)["train/epochs"], dict(first.trainer.callback_metrics)
    again = train(folder, *overrides, resume="first", **options)
    assert again.trainer.global_step == first.trainer.global_step
    assert all(torch.equal(state[name], again.weights[name]) for name in state)
    assert again.curve == curve
    assert len(curve) > 2
    assert training_metrics(again.trainer)["train/epochs"] == epochs
    assert Path(again.checkpoints.best_model_path).name == best == "best.ckpt"
    assert {path.name for path in Path(again.checkpoints.dirpath).glob("*.ckpt")} >= {"best.ckpt", "last.ckpt"}
    assert again.checkpoints.best_model_score == first.checkpoints.best_model_score
    assert again.throughput.units == first.throughput.units
    assert torch.rand(()) == found, "what the test draws at random"
    assert again.trainer.callback_metrics.keys() == measured.keys()


@pytest.mark.parametrize("case", ["counted in updates only", "plateau within an epoch"])
def test_lightning_is_still_to_be_mended(
    train: Callable[..., Outcome], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once this fails, ``attnlab.private.lightning`` has nothing left to do."""
    monkeypatch.setattr("attnlab.callbacks.checkpoints.mend", lambda trainer: None)
    choice, options = SCHEDULES.get(case, ([], CASES.get(case, {})))
    options = {"max_epochs": 3} | options
    kill = options.pop("kill")
    whole = train("whole", *choice, **options)
    train("first", *choice, kill=kill, **options)
    rest = train("rest", *choice, resume="first", **options)
    assert any(not torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)


def test_more_patience_prolongs(train: Callable[..., Outcome]) -> None:
    first = train("first", "optimizer.lr=1.0", max_epochs=5, patience=0)
    again = train("rest", "optimizer.lr=1.0", resume="first", max_epochs=5, patience=9)
    assert first.trainer.global_step < again.trainer.global_step == 50


@pytest.mark.parametrize("end", [{"max_steps": 6}, {"stop": 6}], ids=str)
def test_a_training_that_ended_within_an_epoch_can_be_prolonged(
    train: Callable[..., Outcome], end: dict[str, Any]
) -> None:
    whole = train("whole", "scheduler=constant")
    first = train("first", "scheduler=constant", **end)
    assert 0 < first.trainer.global_step < BATCHES
    rest = train("rest", "scheduler=constant", resume="first")
    assert rest.trainer.global_step == 2 * BATCHES
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
@pytest.mark.parametrize("updates", [6, BATCHES], ids=["within an epoch", "at its end"])
def test_a_training_that_was_stopped_is_over_in_its_own_folder(train: Callable[..., Outcome], updates: int) -> None:
    """A run that is killed while it is tested, after early stopping, is not trained on when it is started again."""
    first = train("first", stop=updates, max_epochs=4)
    again = train("first", resume="first", max_epochs=4)
    assert again.trainer.global_step == first.trainer.global_step == updates
    assert training_metrics(again.trainer)["train/epochs"] == training_metrics(first.trainer)["train/epochs"] == 1
    assert all(torch.equal(first.weights[name], again.weights[name]) for name in first.weights)


def test_the_test_can_fail(train: Callable[..., Outcome]) -> None:
    """Other random numbers give other weights: dropout and teacher forcing do draw."""
    whole = train("whole", every_n_steps=3)
    train("first", kill=16, every_n_steps=3)
    checkpoint = Path(whole.checkpoints.dirpath).parent / "first" / "last.ckpt"
    content = torch.load(checkpoint, weights_only=True)
    content["random_states"][0]["torch"] = torch.Generator().manual_seed(3).get_state()
    torch.save(content, checkpoint)
    rest = train("rest", resume="first", every_n_steps=3)
    assert any(not torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)


def test_best_checkpoint_moves_along(train: Callable[..., Outcome], tmp_path: Path) -> None:
    """A resumed run has the best checkpoint so far in its own folder, and replaces it by better ones only."""
    train("first", kill=11)
    before = torch.load(tmp_path / "first" / "best.ckpt", weights_only=True)
    state = next(state for name, state in before["callbacks"].items() if "Checkpoints" in name)
    state["best_k_models"] = {path: torch.tensor(-1.0) for path in state["best_k_models"]}  # a loss beyond reach
    torch.save(before, tmp_path / "first" / "best.ckpt")
    rest = train("rest", resume="first")
    assert rest.checkpoints.best_model_path == str(tmp_path / "rest" / "best.ckpt")
    after = torch.load(tmp_path / "rest" / "best.ckpt", weights_only=True)
    assert before["global_step"] == after["global_step"] == BATCHES


def test_other_number_of_processes_is_told(train: Callable[..., Outcome], tmp_path: Path) -> None:
    train("first", kill=11)
    content = torch.load(tmp_path / "first" / "last.ckpt", weights_only=True)
    content["random_states"] *= 2
    torch.save(content, tmp_path / "first" / "last.ckpt")
    with pytest.warns(UserWarning, match="random states of 2 processes, and there are 1"):
        train("rest", resume="first")


def test_all_generators_come_back(tmp_path: Path) -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    random.gauss(0, 1)  # leaves a second draw behind
    np.random.randn()  # noqa: NPY002 - likewise
    torch.save(capture(), tmp_path / "state.pt")

    def draw() -> list[float]:
        numpy = [np.random.randn(), np.random.rand()]  # noqa: NPY002
        return [random.gauss(0, 1), random.random(), *numpy, float(torch.rand(()))]

    expected = draw()
    restore(torch.load(tmp_path / "state.pt", weights_only=True))
    assert draw() == expected
