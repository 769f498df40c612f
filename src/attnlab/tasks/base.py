"""The contract of a task, and what all tasks share: updates, validation and testing, records of all processes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.attention.base import Normalizer
from attnlab.data.base import TaskData
from attnlab.errors import ConfigError, NonFiniteError
from attnlab.metrics.quantity import Counted
from attnlab.metrics.registry import register
from attnlab.models.flops import Moments, Work
from attnlab.models.graphs import Graphs, Passes
from attnlab.private.torch import clip_before_the_step
from attnlab.runs.words import Words
from attnlab.runs.writing import Map, Value
from attnlab.tasks.explaining import About, Asked, Instances
from attnlab.tasks.measuring import Measuring
from attnlab.tasks.objective import Summed
from attnlab.tasks.records import Record, Table, from_all_processes
from attnlab.tasks.schedules import Schedule
from attnlab.tasks.updating import Updating
from attnlab.types import NO_SENTENCE

if TYPE_CHECKING:
    from attnlab.models.meeting import Seat

R = TypeVar("R", bound=Record)  #: what testing keeps of an item


class Task(Measuring, Updating, ABC, Generic[R]):
    """Train, validate and test a model.

    A task says ``loss`` (over what ``unit``), ``quantities`` and ``records``; what it says of ``maps`` and ``samples``
    is drawn and shown. Everything else that knows a task, callbacks and commands, knows no more than is declared here.

    Args:
        model: the network.
        data: what it is trained and tested on.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        cuda_graphs: on a GPU, replay training passes as CUDA graphs, where the task says what is ``captured``.

    Attributes:
        unit: what the loss is a mean over, in the plural; speed is told in it, ``train/<unit>_per_second``.
        keys: which keys of a record's line have an item's ``input``, ``reference`` and ``output``: by the first two it
            is seen that runs were tested on the same items, and all three are shown: each is text or a number.
        words: what an item is called, what is made of it, what looks at what in it, wherever it is told.
        learns_draws: whether ``loss`` learns from weights that a mechanism draws at random in training, by adding
            ``attention.surrogate(attended.sample, reward, mask)``; a model that draws is refused where it does not.
        quantities: what a validation and a test measure, in the order of tables.
        units: that were trained on, by this process since training began.
        stacks: whether trainings of this task can make their passes as one (``attnlab.models.meeting``).
        seat: by which this one does.
    """

    unit: ClassVar[str] = "items"
    keys: ClassVar[Mapping[str, str]] = {}
    words: ClassVar[Words] = Words()
    learns_draws: ClassVar[bool] = False
    stacks: ClassVar[bool] = False
    quantities: tuple[Counted, ...]

    def __init_subclass__(cls, **settings: Any) -> None:
        """What a task from outside measures is known as soon as the task is: its direction, too."""
        super().__init_subclass__(**settings)
        register(cls.__module__.partition(".")[0], *vars(cls).get("quantities", ()))

    def __init__(
        self,
        model: nn.Module,
        data: TaskData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        cuda_graphs: bool = True,
    ) -> None:
        super().__init__()
        self.check_model(model)
        self.model, self.data, self.cuda_graphs = model, data, cuda_graphs
        self.make_optimizer, self.schedule = optimizer, schedule
        self.units = 0
        self.seat: Seat | None = None
        self.loaded_update = 0  #: the update after which the weights were saved that were loaded last
        self.test_records: dict[str, list[R]] = {}
        self.found: dict[str, dict[int, R]] = {}  #: of this process, while a split is gone through
        self.counted = {}  # likewise

    @classmethod
    def check_model(cls, model: nn.Module) -> None:
        """Refuse a model that the loss cannot train as its mechanism is meant to be.

        Raises:
            ConfigError: it draws weights at random, and nothing would be learnt from the draws.
        """
        drawing = next((part for part in model.modules() if isinstance(part, Normalizer) and part.draws), None)
        if drawing is not None and not cls.learns_draws:
            raise ConfigError(
                f"attention: {type(drawing).__name__} draws its weights at random in training, and {cls.__name__}.loss "
                "learns nothing from the draws. Take another normalizer (attention/normalizer=hard_st looks at one "
                "place, too), or add attention.surrogate(attended.sample, reward, mask) to the objective, with ln p of "
                "each item's label as the reward, and set learns_draws = True"
            )

    @classmethod
    def validated(cls) -> tuple[Counted, ...]:
        """What a validation measures: what can be monitored."""
        return tuple(quantity for quantity in getattr(cls, "quantities", ()) if not quantity.costly)

    @abstractmethod
    def loss(self, batch: Any) -> Summed:
        """The objective of a training batch, summed over its units; ``told`` has train/loss."""

    def captured(self) -> Passes | None:
        """What is captured of training: the passes of which network; None captures nothing."""
        return None

    @property
    def training_pass(self) -> Callable[..., Any]:
        """The network as :meth:`loss` calls it: by CUDA graphs on a GPU, where that is captured and works."""
        return self._own_pass if self.seat is None else self.seat

    @cached_property
    def _own_pass(self) -> Callable[..., Any]:
        passes = self.captured() if self.cuda_graphs else None
        return self.model.__call__ if passes is None else Graphs(passes)

    @abstractmethod
    def records(self, split: str, batch: Any) -> Mapping[int, R]:
        """What is kept of each item of a batch, by its number in the split. No gradient is wanted."""

    def maps(self, batch: Any) -> list[Map]:
        """The attention in the items of a batch, to be drawn while training; empty where the mechanism has none."""
        return []

    def samples(self, batch: Any) -> Table | None:
        """What a person may read of the items of a batch while training; None where there is nothing to read."""
        return None

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> Iterable[tuple[Instances, list[About]]]:
        """Some items of a split, to be asked again with other weights, in groups; see :class:`Instances`.

        Args:
            split: of the data.
            numbers: of the items.
            steps: of an item that has several instances (the words of a translation) so many at most, evenly spread.

        Raises:
            ConfigError: the run looks at nothing, or its task does not say how it can be asked.
        """
        raise ConfigError(f"task: {type(self).__name__} does not say what is explained of an item: it has no instances")

    def instances_of_words(self, split: str, numbers: Sequence[int]) -> Iterable[tuple[Instances, list[About]]]:
        """The same where positions are otherwise made of words; ConfigError where they are none."""
        raise ConfigError("words=true: this run does not read by sentences; its positions are what they are without it")

    def asked(self, model: nn.Module, batch: Any) -> Asked:
        """What a model like the run's says of a batch, and looks at; differentiable. For models that are trained anew.

        Raises:
            ConfigError: the task's items are not texts of a class, read by one attention.
        """
        raise ConfigError(
            f"baselines: they learn from texts of a class, and an item of {self.name} is none; leave baselines out"
        )

    def table(self, records: Sequence[R]) -> Table | None:
        """What a person may read of tested items; None where there is nothing to read."""
        names = list(dict.fromkeys(self.keys.values()))
        lines = (record.line() for record in records)
        return (
            Table(["number", *names], [[n, *map(line.get, names)] for n, line in enumerate(lines)]) if names else None
        )

    def plain(self, batch: Any) -> list[dict[str, Any]]:
        """The items of a batch as plain values, for somebody who asks what was in it."""
        return [{"number": number} for number in batch.index.tolist() if number != NO_SENTENCE]

    def about(self) -> dict[str, Value]:
        """Further entries of ``metrics.json``, once a test has ended."""
        return {}

    def other_scores(self, split: str) -> Mapping[str, tuple[float, str]]:
        """What evaluate.py tells besides of a tested split, by name: a score and its signature."""
        return {}

    def save_more(self, folder: Path, records: Mapping[str, Sequence[R]]) -> Mapping[str, Path] | None:
        """Write into the run folder, beside the lines of every tested split, what this task has besides.

        Returns:
            The pictures among it, by what dashboards call them: ``test/confusion``.
        """
        return None

    def moments(self, batch: Any) -> Moments | None:
        """What :meth:`work` needs to know of a training batch, to be summed; None where work is not counted."""
        return None

    def work(self) -> Work | None:
        """The floating-point operations of training, by ``moments``; None where they are not counted."""
        return None

    def measure(self, split: str, batch: Any) -> dict[int, R]:
        """Count what each item of a batch contributes to each quantity; give the records."""
        found = {number: record for number, record in self.records(split, batch).items() if number != NO_SENTENCE}
        self.count(split, found, self.quantities)
        return found

    def measured(self, split: str) -> dict[str, float]:
        """What a split was measured to be, by ``<split>/<name>``, over all processes; the next one begins anew.

        The same for any batching and any number of processes: items are taken in the order of their numbers.
        """
        return self.closed(split, self.quantities)

    def rates(self, split: str) -> dict[str, float]:
        """Speeds of this process on a test split, to be summed over processes."""
        return {}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.loaded_update = int(checkpoint["global_step"])

    def configure_optimizers(self) -> Any:
        if self.make_optimizer is None or self.schedule is None:
            return None
        optimizer = self.make_optimizer(self.parameters())
        clip_before_the_step(optimizer)
        epochs = self.trainer.check_val_every_n_epoch
        return self.schedule.configure(optimizer, self.trainer.estimated_stepping_batches, epochs)

    def training_step(self, batch: Any, batch_index: int) -> Float[Tensor, ""]:
        if self.make_optimizer is None:
            return self._fit_at_once()
        loss = self.loss(batch)
        self.units += loss.units
        return self.update.add(loss, self.trainer.accumulate_grad_batches)

    def backward(self, loss: Tensor, *positional: Any, **named: Any) -> None:
        if self.seat is None:
            super().backward(loss, *positional, **named)
        else:
            self.seat.backward(loss)

    def fit(self) -> tuple[float, int]:
        """Fit a model that is ``fitted_at_once`` to all training items; give the mean loss on them and their number."""
        raise ConfigError(f"{type(self).__name__} has no fit, which a model that is fitted at once asks for")

    def _fit_at_once(self) -> Tensor:
        """The one update of a model that no gradient trains; what comes after is validated and tested as ever."""
        loss, items = self.fit()
        self.units += items
        self.log("train/loss", loss, prog_bar=True)
        self.trainer.should_stop = True
        return torch.zeros((), device=self.device, requires_grad=True)

    def validation_step(self, batch: Any, batch_index: int) -> None:
        self.measure("val", batch)

    def test_step(self, batch: Any, batch_index: int, dataloader_idx: int = 0) -> None:
        split = self.data.test_splits[dataloader_idx]
        self.found.setdefault(split, {}).update(self.measure(split, batch))

    def on_validation_epoch_end(self) -> None:
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


def task_of(module: pl.LightningModule) -> Task[Any]:
    """What a callback is handed, by its contract."""
    return cast(Task[Any], module)
