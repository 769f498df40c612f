"""The task: its loss, what is measured, what is kept of a review, what is drawn and read."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch.nn import functional as F

from attnlab.metrics.quantities.accuracy import ACCURACY
from attnlab.metrics.quantities.nll import NLL
from attnlab.runs.words import Words
from attnlab.runs.writing import Map
from attnlab.tasks.base import Task
from attnlab.tasks.objective import Summed
from attnlab.tasks.records import Table
from attnlab.types import NO_SENTENCE

from .data import LABELS, Batch


class Judged(NamedTuple):
    """What testing keeps of a review: its line of ``test.jsonl``, and its picture."""

    text: str
    label: str
    predicted: str
    loss: float  #: negative log-likelihood of the label, in nats
    weights: Any  #: [1, S]

    def line(self) -> dict[str, Any]:
        return self._asdict() | {"weights": None if self.weights is None else self.weights[0].tolist()}

    def map(self, number: int) -> Map | None:
        return None if self.weights is None else Map(number, self.weights, self.text.split(), ["verdict"])


class MyTask(Task[Judged]):
    unit: ClassVar[str] = "reviews"
    keys: ClassVar[Mapping[str, str]] = {"input": "text", "reference": "label", "output": "predicted"}
    words = Words(
        item="review", items="reviews", output="judgement", outputs="judgements", column="word", columns="words"
    )
    quantities = (ACCURACY, NLL)  # the first is what a checkpoint is chosen by

    def loss(self, batch: Batch) -> Summed:
        real = batch.index != NO_SENTENCE
        losses = F.cross_entropy(self.model(batch.words, batch.mask).logits, batch.label, reduction="none")
        total = (losses * real).sum()
        return Summed(total, int(real.sum()), {"train/loss": total})

    def records(self, split: str, batch: Batch) -> Mapping[int, Judged]:
        logits, weights = self.model(batch.words, batch.mask)
        losses = F.cross_entropy(logits, batch.label, reduction="none").tolist()
        found = {}
        for row, number in enumerate(batch.index.tolist()):
            text, label = self.data.texts[split][number]
            seen = None if weights is None else weights[row, None, : len(text.split())].cpu().numpy()
            found[number] = Judged(text, LABELS[label], LABELS[int(logits[row].argmax())], losses[row], seen)
        return found

    @torch.no_grad()
    def maps(self, batch: Batch) -> list[Map]:
        drawn = (record.map(number) for number, record in self.records("val", batch).items())
        return [item for item in drawn if item is not None]

    @torch.no_grad()
    def samples(self, batch: Batch) -> Table:
        found = self.records("val", batch).values()
        return Table(["text", "label", "predicted"], [[item.text, item.label, item.predicted] for item in found])
