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

from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.history import History
from attnlab.callbacks.random_state import RandomState, capture, restore
from attnlab.callbacks.run_files import training_metrics
from attnlab.callbacks.throughput import Throughput

EPOCHS, BATCHES = 2, 10


class KilledError(Exception):
    """Stands for the end of the process."""


class Kill(pl.Callback):
    """Stop before the batch that would follow ``batches`` of all epochs."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.current_epoch * BATCHES + trainer.fit_loop.batch_idx + 1 >= self.batches:
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
        resume: str | None = None,
        every_n_steps: int | None = None,
        workers: int = 0,
        **options: Any,
    ) -> Outcome:
        task = lab.task("task.teacher_forcing.probability=0.5", *overrides, num_workers=workers)
        if resume:  # what a fresh process would have in its generators is anyone's guess
            pl.seed_everything(12345, verbose=False)
        best = Checkpoints(str(tmp_path / folder), monitor="val/loss", mode="min", every_n_steps=every_n_steps)
        parts = [best, Throughput(), Validations(), History(str(tmp_path / folder / "history.jsonl")), RandomState()]
        if kill:
            parts.append(Kill(kill))
        if stop:
            parts.append(Stop(stop))
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
    "with worker processes": {"kill": 16, "every_n_steps": 3, "workers": 2},
}


@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning")  # on one core
@pytest.mark.parametrize("case", CASES)
def test_resume_is_bit_identical(train: Callable[..., Outcome], case: str) -> None:
    options: dict[str, Any] = dict(CASES[case])
    kill = options.pop("kill")
    whole = train("whole", **options)
    first = train("first", kill=kill, **options)
    rest = train("rest", resume="first", **options)
    assert whole.weights.keys() == rest.weights.keys()
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)
    assert any(not torch.equal(whole.weights[name], first.weights[name]) for name in whole.weights)
    validations = dict(first.validations.losses) | dict(rest.validations.losses)
    assert validations == dict(whole.validations.losses)
    assert rest.throughput.tokens == whole.throughput.tokens
    assert rest.checkpoints.best_model_score == whole.checkpoints.best_model_score
    assert rest.curve == whole.curve
    assert [point["step"] for point in whole.curve if "val/loss" in point] == [
        step for step, _ in whole.validations.losses
    ]


SCHEDULES = {
    "luong_halving": ["scheduler.make.full_epochs=1"],
    "plateau": ["scheduler.make.patience=0", "optimizer.lr=1.0"],  # the loss rises at this rate
    "warmup_inverse_sqrt": ["scheduler.make.warmup=4"],
}


@pytest.mark.parametrize("scheduler", SCHEDULES)
def test_schedules_resume_exactly(train: Callable[..., Outcome], scheduler: str) -> None:
    choice = [f"scheduler={scheduler}", *SCHEDULES[scheduler]]
    whole = train("whole", *choice, max_epochs=3)
    train("first", *choice, kill=11)
    rest = train("rest", *choice, resume="first", max_epochs=3)
    assert all(torch.equal(whole.weights[name], rest.weights[name]) for name in whole.weights)


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
    content = torch.load(tmp_path / "first" / "last.ckpt", weights_only=True)
    state = next(state for name, state in content["callbacks"].items() if "Checkpoints" in name)
    state["best_k_models"] = {path: torch.tensor(-1.0) for path in state["best_k_models"]}  # a loss beyond reach
    torch.save(content, tmp_path / "first" / "last.ckpt")
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
