"""What every task shares: updates, the loops of validation and testing, records of all processes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.errors import NonFiniteError
from attnlab.tasks.gradients import Watch, bound, with_gradients
from attnlab.tasks.objective import Summed, UnitMean
from attnlab.tasks.schedules import Schedule

R = TypeVar("R")  #: what testing keeps of an item


@runtime_checkable
class Splits(Protocol):
    """What a task asks of its data."""

    @property
    def test_splits(self) -> Sequence[str]: ...


class Task(pl.LightningModule, ABC, Generic[R]):
    """Train, validate and test a model: a task says its loss, and what it measures.

    ``validation_step`` and ``test_step`` are the task's; they add to what ``measured`` gives, and put a record of every
    item into ``found`` by split and number.

    Args:
        model: the network.
        data: what it is trained and tested on.
        optimizer: from parameters to an optimizer.
        schedule: of the learning rate.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Splits,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        schedule: Schedule,
    ) -> None:
        super().__init__()
        self.model, self.data = model, data
        self.make_optimizer, self.schedule = optimizer, schedule
        self.update = UnitMean()
        self.update_loss: Tensor | None = None  #: the mean of the update that is being made
        self.watch: Watch | None = None  #: is shown the gradients of every update
        self.test_records: dict[str, list[R]] = {}
        self.found: dict[str, dict[int, R]] = {}  #: of this process, while a split is gone through

    @abstractmethod
    def loss(self, batch: Any) -> Summed:
        """The objective of a training batch, summed over its units; ``told`` has train/loss."""

    @abstractmethod
    def measured(self, split: str) -> dict[str, float]:
        """What a split was measured to be, by ``<split>/<name>``, over all processes; the next one begins anew."""

    def rates(self, split: str) -> dict[str, float]:
        """Speeds of this process on a test split, to be summed over processes."""
        return {}

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self.parameters())
        # A fused optimizer would undo the loss scale of fp16 within its step, so Lightning refuses to clip before it,
        # in bf16 too, where there is no scale. Without the mark the scaler undoes it beforehand: clipping is right.
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        epochs = self.trainer.check_val_every_n_epoch
        return self.schedule.configure(optimizer, self.trainer.estimated_stepping_batches, epochs)

    def training_step(self, batch: Any, batch_index: int) -> Float[Tensor, ""]:
        return self.update.add(self.loss(batch), self.trainer.accumulate_grad_batches)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        parameters = with_gradients(optimizer)
        means = self.update.close([cast(Tensor, p.grad) for p in parameters], self.trainer.accumulate_grad_batches)
        self.update_loss = means.get("train/loss")
        if self._read_after_this_step():
            for name, mean in means.items():
                self.log(name, mean, prog_bar=name == "train/loss")

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        bound(optimizer, gradient_clip_val, gradient_clip_algorithm == "value", self.watch)

    def _read_after_this_step(self) -> bool:
        """Whether a logger, the history or the line of an epoch reads what is logged now: logging costs 1 ms."""
        every, step = cast(int, self.trainer.log_every_n_steps), self.global_step  # type: ignore[attr-defined]
        return step == 0 or self.trainer.is_last_batch or (every > 0 and (step + 1) % every == 0)

    def on_validation_epoch_end(self) -> None:
        self.found.pop("val", None)
        values = self.measured("val")
        if not math.isfinite(loss := values.get("val/loss", 0.0)):
            raise NonFiniteError(
                f"validation after update {self.global_step}: val/loss is {loss}. The weights are too large for this "
                "precision, or not finite themselves: try a lower optimizer.lr or trainer.precision=32-true"
            )
        self.log_dict(values, prog_bar=True)

    def on_test_epoch_end(self) -> None:
        for split in self.data.test_splits:
            self.log_dict(self.measured(split))
            for name, rate in self.rates(split).items():
                self.log(name, rate, sync_dist=True, reduce_fx="sum")
            found = from_all_processes(self.found.pop(split, {}))
            self.test_records[split] = [found[index] for index in sorted(found)]


def from_all_processes(found: dict[int, R]) -> dict[int, R]:
    """The records of every process's share of a split."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return found
    shares: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(shares, found)
    return {index: record for share in shares for index, record in share.items()}
