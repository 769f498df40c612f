"""What an epoch is to Lightning where its settings say something else than usual."""

import pytest
import pytorch_lightning as pl


class Seen(pl.Callback):
    """The sentences of every batch and the rate after every epoch."""

    def __init__(self):
        self.batches, self.rates = {}, []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.setdefault(trainer.current_epoch, []).append(batch.index.tolist())

    def on_train_epoch_start(self, trainer, pl_module):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.mark.parametrize("options", [{"overfit_batches": 3}, {"overfit_batches": 0.4}, {"limit_train_batches": 3}])
def test_overfitting_is_on_the_same_batches(lab, options):
    seen, task = Seen(), lab.task()
    lab.trainer(seen, max_epochs=3, **options).fit(task, task.data)
    first, second, third = (seen.batches[epoch] for epoch in range(3))
    assert len(first) == len(third) in (3, 4)
    assert (first == second == third) == ("overfit_batches" in options)


@pytest.mark.filterwarnings("ignore:ReduceLROnPlateau conditioned on metric:RuntimeWarning")  # before the first one
@pytest.mark.parametrize(
    ("options", "halved_before"),
    [
        ({}, [2, 3, 4, 5]),  # epochs from 0; the first validation is the best
        ({"check_val_every_n_epoch": 2}, [4]),
        ({"check_val_every_n_epoch": None, "val_check_interval": 25}, [4, 5]),  # after 25 and 50 batches of 10 each
    ],
)
def test_a_plateau_is_one_of_validations(lab, options, halved_before, monkeypatch):
    """With a loss that only rises; nothing is said to a schedule before there is something to say."""
    task, seen, losses = lab.task("scheduler=plateau", "scheduler.make.patience=0", "optimizer.lr=0.01"), Seen(), []

    def rising(split):
        losses.append(1.0 + len(losses))
        return {f"{split}/loss": losses[-1]}

    monkeypatch.setattr(task, "measured", rising)
    lab.trainer(seen, max_epochs=6, num_sanity_val_steps=0, **options).fit(task, task.data)
    rates = [0.01]
    for epoch in range(1, 6):
        rates.append(rates[-1] * (0.5 if epoch in halved_before else 1.0))
    assert seen.rates == pytest.approx(rates)
