"""An update that is not of finite numbers: told, kept, never made; skipping equals a training without that batch."""

import json
from functools import partial
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch

from attnlab.callbacks import non_finite
from attnlab.callbacks.checkpoints import Checkpoints
from attnlab.callbacks.non_finite import NonFinite, is_matter_of_scale
from attnlab.callbacks.random_state import RandomState
from attnlab.callbacks.weight_average import WeightAverage
from attnlab.cli.fit import fit_until_failure
from attnlab.errors import NonFiniteError
from attnlab.types import ConfigError

PLAIN = ("model.dropout=0", "optimizer.lr=0.01", "optimizer.fused=false", "scheduler=constant")
LAST = "model.output.bias"


class Poison(pl.Callback):
    """Spoils the loss, or the gradient of the last layer alone, of the training batches of these numbers."""

    def __init__(self, *batches, value=torch.nan, gradient=False, epoch=0):
        self.batches, self.value, self.gradient, self.epoch = batches, value, gradient, epoch

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        hit = batch_idx in self.batches and trainer.current_epoch == self.epoch
        true = type(pl_module.model).loss
        model = pl_module.model

        def loss(batch, decoded, smoothing=0.0):
            found = true(model, batch, decoded, smoothing)
            return found._replace(total=found.total * self.value) if model.training else found

        model.loss = loss if hit and not self.gradient else partial(true, model)

    def on_after_backward(self, trainer, pl_module):
        if self.gradient and trainer.fit_loop.batch_idx in self.batches:
            pl_module.model.output.bias.grad[0] = self.value


@pytest.fixture
def poisoned(lab):
    def train(*batches, action="skip", more=(), options=(), **settings):
        poison = {name: settings.pop(name) for name in ("value", "gradient", "epoch") if name in settings}
        task, guard = lab.task(*PLAIN, *options), NonFinite(str(lab.run / "non_finite"), action, most_in_a_row=3)
        settings = {"gradient_clip_val": None, "max_epochs": 1, "limit_val_batches": 0, **settings}
        trainer = lab.trainer(Poison(*batches, **poison), guard, *more, **settings)
        try:
            trainer.fit(task, task.data)
            return task, guard, None
        except NonFiniteError as error:
            return task, guard, str(error)

    return train


def by_hand(lab, updates, precision=torch.float32):
    """Adam on the mean loss of each of these lists of batches, in a plain loop."""
    task = lab.task(*PLAIN)
    model, batches = task.model.to(precision), list(task.data.train_dataloader())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for numbers in updates:
        losses = [model.loss(batches[n], model(batches[n])) for n in numbers]
        optimizer.zero_grad()
        (sum(loss.total for loss in losses) / sum(loss.tokens for loss in losses)).backward()
        optimizer.step()
    return batches, model


def same(model, expected):
    for (name, got), wanted in zip(model.named_parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_stopping_leaves_the_state_before_it_and_the_batch(lab, poisoned, value):
    task, _, told = poisoned(3, action="stop", value=value)
    first = next(name for name, _ in task.named_parameters())
    assert told.startswith(f"update 4 (epoch 1, batch 4): the loss is {value}, the gradient too, first in {first}")
    batches, expected = by_hand(lab, [[0], [1], [2]])
    same(task.model, expected)
    (file,) = (lab.run / "non_finite").iterdir()
    assert str(file) in told
    kept = json.loads(file.read_text("utf-8"))
    assert (kept["update"], kept["epoch"], kept["batch"], kept["loss"]) == (4, 1, 4, str(value))
    assert [line["number"] for line in kept["sentences"]] == batches[3].index.tolist()
    for line, source, target in zip(kept["sentences"], batches[3].source, batches[3].target, strict=True):
        pair = task.data.text("train", line["number"])
        assert (line["source"], line["target"]) == (pair.source, pair.target)
        assert line["source_ids"] == source[source != 0].tolist()
        assert line["target_ids"] == target[target != 0].tolist()


@pytest.mark.parametrize("settings", [{}, {"gradient_clip_val": 1e6}, {"gradient": True}])
def test_skipping_is_a_training_without_that_update(lab, poisoned, settings):
    with pytest.warns(UserWarning, match=r"update 4 \(epoch 1, batch 4\): the .* it was left out"):
        task, guard, told = poisoned(3, **settings)
    assert (told, guard.skipped, guard.in_a_row) == (None, 1, 0)
    same(task.model, by_hand(lab, [[n] for n in range(10) if n != 3])[1])


def test_a_gradient_alone_is_told_with_its_parameter(poisoned):
    _, _, told = poisoned(1, action="stop", gradient=True)
    assert told.startswith("update 2 (epoch 1, batch 2): the gradient is not finite (the loss is ")
    assert f"first in {LAST} (1 of " in told


def test_an_accumulated_update_goes_as_a_whole(lab, poisoned):
    with pytest.warns(UserWarning, match=r"update 2 \(epoch 1, batch 8\)"):
        task, _, _ = poisoned(5, accumulate_grad_batches=4)
    batches, expected = by_hand(lab, [[0, 1, 2, 3], [8, 9]])
    same(task.model, expected)
    (file,) = (lab.run / "non_finite").iterdir()
    numbers = [line["number"] for line in json.loads(file.read_text("utf-8"))["sentences"]]
    assert numbers == [n for batch in batches[4:8] for n in batch.index.tolist()]


@pytest.mark.filterwarnings("ignore:.*it was left out:UserWarning")
def test_not_too_many_in_a_row(poisoned):
    _, guard, told = poisoned(1, 2, 4, 5, 6)
    assert told.startswith("update 7 (epoch 1, batch 7)")
    assert "the 3th in a row" not in told
    assert "3 updates in a row" in told
    assert guard.skipped == 5


@pytest.mark.filterwarnings("ignore:.*it was left out:UserWarning")
def test_an_average_of_the_weights_stays_finite(poisoned):
    task, _, told = poisoned(3, more=[WeightAverage(0.9)])
    assert told is None
    assert all(parameter.isfinite().all() for parameter in task.parameters())


@pytest.mark.filterwarnings("ignore:.*it was left out:UserWarning", "ignore:Checkpoint directory:UserWarning")
def test_a_resumed_training_skips_alike(lab, poisoned):
    def saving(folder):
        return Checkpoints(str(lab.run / folder), "val/loss", "min"), RandomState()

    options = {"options": ("model.dropout=0.3",), "epoch": 1, "limit_val_batches": None}
    whole, guard, _ = poisoned(2, 3, more=saving("whole"), max_epochs=2, **options)
    poisoned(2, 3, more=saving("half"), max_epochs=1, **options)
    resumed = NonFinite(str(lab.run / "again"), "skip")
    task = lab.task(*PLAIN, "model.dropout=0.3")
    trainer = lab.trainer(Poison(2, 3, epoch=1), resumed, *saving("half"), gradient_clip_val=None)
    trainer.fit(task, task.data, ckpt_path=str(lab.run / "half" / "last.ckpt"), weights_only=True)
    assert resumed.skipped == guard.skipped == 2
    assert all(map(torch.equal, task.parameters(), whole.parameters()))


def test_the_best_checkpoint_of_a_failed_training_is_known(lab):
    task = lab.task(*PLAIN)
    keep = Checkpoints(str(lab.run), "val/loss", "min")
    trainer = lab.trainer(Poison(4, epoch=1), NonFinite(str(lab.run)), keep)
    failure = fit_until_failure(trainer, task, task.data, None)
    assert "update 15 (epoch 2, batch 5)" in str(failure)
    assert keep.best_model_path == str(lab.run / "best.ckpt")
    trainer.test(task, task.data, ckpt_path=keep.best_model_path, verbose=False, weights_only=True)
    assert all(value.isfinite() for value in trainer.callback_metrics.values())
    early = lab.trainer(Poison(4), NonFinite(str(lab.run)), Checkpoints(str(lab.run / "other"), "val/loss", "min"))
    with pytest.raises(NonFiniteError, match="update 5 "):
        fit_until_failure(early, lab.task(*PLAIN), task.data, None)


def test_a_validation_that_is_not_finite_is_told_before_it_is_kept(lab):
    task = lab.task(*PLAIN)

    class Break(pl.Callback):
        def on_validation_start(self, trainer, pl_module):
            torch.nn.init.constant_(pl_module.model.output.bias, torch.inf)

    with pytest.raises(NonFiniteError, match="validation after update 10: val/loss is nan"):
        lab.trainer(Break(), Checkpoints(str(lab.run), "val/loss", "min")).fit(task, task.data)
    assert not list(lab.run.glob("*.ckpt"))


class Event:
    def __init__(self):
        self.asked = False

    def synchronize(self):
        self.asked = True


@pytest.fixture
def ahead(monkeypatch):
    """As on a GPU: numbers come later, and the fused optimizer (the CPU has one too) does without them."""
    sent = []

    def to_host(number):
        sent.append(Event())
        return number.clone(), sent[-1]

    monkeypatch.setattr(non_finite, "runs_ahead", lambda checked, optimizer: True)
    monkeypatch.setattr(non_finite, "to_host", to_host)
    return sent


@pytest.mark.parametrize("batch", [3, 9])
def test_a_fused_optimizer_leaves_out_what_is_judged_later(lab, poisoned, ahead, batch):
    with pytest.warns(UserWarning, match=f"update {batch + 1} "):
        task, guard, _ = poisoned(batch, options=("optimizer.fused=true",), gradient_clip_val=1e6)
    assert (len(ahead), guard.skipped) == (10, 1)
    assert all(event.asked for event in ahead)
    same(task.model, by_hand(lab, [[n] for n in range(10) if n != batch])[1])


def test_later_is_at_most_some_updates_later(lab, poisoned, ahead):
    _, _, told = poisoned(1, action="stop", options=("optimizer.fused=true",))
    assert told.startswith("update 2 (epoch 1, batch 2)")
    assert len(ahead) == 2 + non_finite.LAG
    (file,) = (lab.run / "non_finite").iterdir()
    numbers = [line["number"] for line in json.loads(file.read_text("utf-8"))["sentences"]]
    assert numbers == by_hand(lab, [])[0][1].index.tolist()


@pytest.mark.parametrize(
    ("scale", "loss", "total", "expected"),
    [
        (65536.0, 1.0, torch.inf, True),
        (65536.0, torch.nan, torch.nan, False),  # the forward pass knows no scale
        (1.0, 1.0, torch.inf, False),
        (65536.0, 1.0, 1.0, False),
        (None, 1.0, torch.inf, False),
    ],
)
def test_an_overflow_of_the_loss_scale_is_no_failure(scale, loss, total, expected):
    scaler = None if scale is None else SimpleNamespace(get_scale=lambda: scale)
    assert is_matter_of_scale(scaler, torch.tensor(loss), torch.tensor(total)) is expected


def test_bad_options_are_refused():
    with pytest.raises(ConfigError, match="expected 1 or more"):
        NonFinite("x", "skip", 0)
