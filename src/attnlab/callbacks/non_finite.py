"""The update at which a training leaves the finite numbers: told as that, kept to be looked at, never made."""

import json
import math
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.atomic import replacing
from attnlab.callbacks.dashboards import alert
from attnlab.errors import NonFiniteError
from attnlab.ranges import OneOrMore, PathText
from attnlab.tasks.gradients import Gradients
from attnlab.types import ConfigError

Action = Literal["stop", "skip"]
LAG = 4  #: updates that a GPU may be ahead of what is known of them
KEPT = 20  #: files of a run at most
ADVICE = (
    "Try a lower optimizer.lr, a longer warm-up, a lower trainer.gradient_clip_val or trainer.precision=32-true; "
    "callbacks.non_finite.action=skip leaves such updates out"
)


@runtime_checkable
class Arrival(Protocol):
    """When a number has come from a GPU: a ``torch.cuda.Event``."""

    def synchronize(self) -> None: ...


class Seen(NamedTuple):
    """An update and what is known of it; the numbers may be on their way from a GPU."""

    update: int  #: from 1, as the steps of ``history.jsonl``
    epoch: int  #: from 1
    batch: int  #: its last, from 1 within the epoch
    batches: list[Any]  #: of this process
    loss: Tensor | None
    gradients: Gradients
    checked: Float[Tensor, ""]  #: on the host; not finite where the loss or a gradient is not
    arrived: Arrival | None


class NonFinite(Callback):
    """Look at the loss and the gradients of every update before it is made.

    An update in which any of them is inf or NaN is not made: weights and the optimizer's state stay as they were, and
    with them every checkpoint. Its items, of a translation as text and as ids, go to ``directory`` as
    ``update_<number>_process_<rank>.json`` (the first 20 of a run). All processes of a training see the same numbers.
    A training that ends for it, and the first update that is left out, raise an alert in W&B.

    A look costs nothing where gradients are clipped by their norm, which is what is looked at. On a GPU nobody waits
    for it: a fused optimizer leaves the update out by itself, and some updates later the reason is told.
    In fp16 an overflow of the gradients alone is the loss scale's own affair, until the scale has fallen to 1.

    Args:
        directory: where sentences go.
        action: ``stop`` ends the training with an error; ``skip`` goes on with the next update. The schedule of the
            learning rate counts an update that was left out, and an average of the weights takes the same ones again.
        most_in_a_row: so many updates are left out one after another at most.

    Raises:
        ConfigError: ``most_in_a_row`` below 1.
    """

    def __init__(self, directory: PathText, action: Action = "stop", most_in_a_row: OneOrMore = 10) -> None:
        if most_in_a_row < 1:
            raise ConfigError(f"callbacks.non_finite.most_in_a_row={most_in_a_row}: expected 1 or more")
        self.directory, self.action, self.most_in_a_row = Path(directory), action, most_in_a_row
        self.skipped, self.in_a_row = 0, 0
        self._batches: list[Any] = []
        self._waiting: deque[Seen] = deque()
        self._task: Any = None

    def state_dict(self) -> dict[str, int]:
        self.catch_up()
        return {"skipped": self.skipped, "in_a_row": self.in_a_row}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.skipped, self.in_a_row = state_dict["skipped"], state_dict["in_a_row"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._batches, self._waiting, self._task = [], deque(), pl_module
        self._task.watch = partial(self.look, trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._batches.append(batch)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.catch_up()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.catch_up()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        pl_module.watch = None  # type: ignore[assignment]
        self._batches, self._waiting, self._task = [], deque(), None

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Whoever has asked a dashboard to be told of it is told: that a validation is not finite, too."""
        if isinstance(exception, NonFiniteError):
            alert(trainer, "Training has diverged", str(exception))

    def look(self, trainer: pl.Trainer, optimizer: Optimizer, gradients: Gradients) -> None:
        """Judge an update that is about to be made.

        Raises:
            NonFiniteError: training is to end.
        """
        batches, self._batches = self._batches, []
        loss: Tensor | None = self._task.update_loss
        checked = gradients.total if loss is None else gradients.total + 0.0 * loss
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        if is_matter_of_scale(scaler, loss, gradients.total):
            return
        arrived = None
        if later := scaler is None and runs_ahead(checked, optimizer):
            # What torch's loss scaling tells a fused optimizer: 1 leaves weights, moments and step counts alone.
            optimizer.found_inf = (~checked.isfinite()).float()  # type: ignore[attr-defined]
            checked, arrived = to_host(checked)
        place = trainer.global_step + 1, trainer.current_epoch + 1, trainer.fit_loop.batch_idx + 1
        self._waiting.append(Seen(*place, batches, loss, gradients, checked, arrived))
        if later:
            while len(self._waiting) > LAG:
                self.judge(self._waiting.popleft())
        elif not self.catch_up():
            for parameter in gradients.parameters:
                parameter.grad = None

    def catch_up(self) -> bool:
        """Judge all updates that were seen; whether all were good."""
        good = True
        while self._waiting:
            good = self.judge(self._waiting.popleft()) and good
        return good

    def judge(self, seen: Seen) -> bool:
        if seen.arrived is not None:
            seen.arrived.synchronize()
        if math.isfinite(seen.checked):
            self.in_a_row = 0
            return True
        told, file = tell(seen, self._task), self.keep(seen)
        kept = "" if file is None else f" Its {self._task.words.items} are in {file}."
        if self.action == "stop":
            raise NonFiniteError(f"{told}; it was not made, and training has stopped.{kept} {ADVICE}")
        self.skipped, self.in_a_row = self.skipped + 1, self.in_a_row + 1
        if self.in_a_row >= self.most_in_a_row:
            raise NonFiniteError(
                f"{told}; that makes {self.in_a_row} updates in a row, and training has stopped.{kept} {ADVICE}"
            )
        rank_zero_warn(f"{told}; it was left out.{kept}")
        if self.skipped == 1:
            alert(self._task.trainer, "An update was not finite", f"{told}; it was left out.{kept}")
        return False

    def keep(self, seen: Seen) -> Path | None:
        """Write down what this process had in an update; None where enough lies there already."""
        if self.skipped >= KEPT:
            return None
        path = self.directory / f"update_{seen.update}_process_{self._task.global_rank}.json"
        first, count = where(seen.gradients, self._task)
        loss = None if seen.loss is None else str(float(seen.loss))
        about = {"update": seen.update, "epoch": seen.epoch, "batch": seen.batch, "loss": loss}
        about |= {"gradient": str(float(seen.checked)), "first_parameter": first, "parameters": count}
        items = [item for batch in seen.batches for item in self._task.plain(batch)]
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({**about, "sentences": items}, ensure_ascii=False, indent=1), "utf-8")
        return path


def is_matter_of_scale(scaler: Any, loss: Tensor | None, total: Tensor) -> bool:
    """Whether fp16's loss scale was too large: it is halved, and this update left out, by the scaler."""
    if scaler is None or math.isfinite(total):
        return False
    return (loss is None or math.isfinite(loss)) and scaler.get_scale() > 1


def runs_ahead(checked: Tensor, optimizer: Optimizer) -> bool:
    """Whether to ask for the number now would make the host wait, and the optimizer can do without its answer."""
    return checked.is_cuda and all(group.get("fused") for group in optimizer.param_groups)


def to_host(number: Float[Tensor, ""]) -> tuple[Float[Tensor, ""], Arrival]:
    """Send a number without waiting for it."""
    here = torch.empty((), dtype=number.dtype, pin_memory=True)
    here.copy_(number, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record()
    return here, arrived


def tell(seen: Seen, task: nn.Module) -> str:
    """``update 12 (epoch 1, batch 12): the loss is nan``, and where it shows first."""
    first, count = where(seen.gradients, task)
    of = f", first in {first} ({count} of {len(seen.gradients.parameters)} parameters)" if count else ""
    what = "the gradient is not finite"
    if seen.loss is not None:
        loss = float(seen.loss)
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"{what} (the loss is {loss:.4g})"
        of = of if math.isfinite(loss) or not of else f", the gradient too{of}"
    return f"update {seen.update} (epoch {seen.epoch}, batch {seen.batch}): {what}{of}"


def where(gradients: Gradients, task: nn.Module) -> tuple[str | None, int]:
    """The first parameter, in the order of the network, whose gradient is not finite, and how many there are."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    finite = gradients.norms.isfinite().tolist()
    broken = {names.get(id(p)) for p, good in zip(gradients.parameters, finite, strict=True) if not good}
    return next((name for name in names.values() if name in broken), None), len(broken)
