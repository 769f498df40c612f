r"""Relatedness as a task: a regression on a rating scale.

objective=kl:   KL(p || p_hat),  p the two points of the scale next to the score (Tai et al. 2015, section 4.2)
objective=mse:  (y - r^T p_hat)^2
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.data.pairs.batches import PairBatch
from attnlab.data.pairs.rated import RatedPairs
from attnlab.metrics.quantities.mse import MSE
from attnlab.metrics.quantities.pearson import PEARSON
from attnlab.metrics.quantities.spearman import SPEARMAN
from attnlab.metrics.quantity import Counted
from attnlab.models.overlap_linear import OverlapLinear
from attnlab.models.pair_classifier import PairClassifier, Paired
from attnlab.runs.writing import Map
from attnlab.tasks.base import Task
from attnlab.tasks.entailment.explaining import pair_instances
from attnlab.tasks.entailment.records import maps_of, pairs_of
from attnlab.tasks.entailment.task import PAIR_WORDS
from attnlab.tasks.explaining import About, Instances
from attnlab.tasks.objective import Summed
from attnlab.tasks.records import Table
from attnlab.tasks.relatedness.records import COLUMNS, Rated, cells
from attnlab.tasks.schedules import Schedule
from attnlab.types import NO_SENTENCE


class Relatedness(Task[Rated]):
    """Train, validate and test a model that tells how related two sentences are.

    Args:
        model: the network; its classes are the points of the scale.
        data: the pairs and their scores.
        optimizer: from parameters to an optimizer; None for a model that is ``fitted_at_once``.
        schedule: of the learning rate; likewise.
        objective: what is minimised.
    """

    unit: ClassVar[str] = "pairs"
    learns_draws: ClassVar[bool] = True
    words = PAIR_WORDS
    keys: ClassVar[Mapping[str, str]] = {"input": "pair", "reference": "score", "output": "predicted"}
    quantities: tuple[Counted, ...] = (PEARSON, SPEARMAN, MSE)
    model: PairClassifier | OverlapLinear
    data: RatedPairs

    def __init__(
        self,
        model: PairClassifier | OverlapLinear,
        data: RatedPairs,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] | None,
        schedule: Schedule | None,
        objective: Literal["kl", "mse"] = "kl",
    ) -> None:
        super().__init__(model, data, optimizer, schedule)
        self.objective = objective

    def fit(self) -> tuple[float, int]:
        """Fit a linear model to the features of the training pairs."""
        features, scores = self.data.training_features()
        shares = self.data.scale.shares(torch.from_numpy(scores).double()).numpy()
        return cast(OverlapLinear, self.model).fit(features, shares), len(scores)

    def loss(self, batch: PairBatch) -> Summed:
        real = batch.index != NO_SENTENCE
        found: Paired = self.model(*batch.inputs)
        errors = self.errors(found, batch.label)
        total = ((errors if found.penalty is None else errors + found.penalty) * real).sum()
        extra = self.model.learn_draws(found, -errors.detach(), real)
        if extra is not None:
            total = total + extra
        return Summed(total, int(real.sum()), {"train/loss": (errors * real).sum()})

    def errors(self, found: Paired, scores: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
        """What is minimised, of each pair."""
        logits = found.logits.to(torch.promote_types(found.logits.dtype, torch.float32))
        if self.objective == "mse":
            return (self.data.scale.expected(logits) - scores).square()
        p = self.data.scale.shares(scores.to(logits.dtype))
        return (torch.xlogy(p, p) - p * logits.log_softmax(-1)).sum(-1)

    def records(self, split: str, batch: PairBatch) -> dict[int, Rated]:
        numbers = batch.index.tolist()
        if NO_SENTENCE in numbers:  # a row that keeps a process at work stands alone
            return {}
        found: Paired = self.model(*batch.inputs)
        pairs = pairs_of(found, [self.data.pair(split, number) for number in numbers], self.data.tokenizer)
        predicted = self.data.scale.expected(found.logits.double()).tolist()
        rows = zip(numbers, pairs, batch.label.tolist(), predicted, strict=True)
        return {number: Rated(pair, score, value) for number, pair, score, value in rows}

    @torch.no_grad()
    def maps(self, batch: PairBatch) -> list[Map]:
        return maps_of(self.records("val", batch), batch, self.model.weights_by_head(*batch.inputs))

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> list[tuple[Instances, list[About]]]:
        return [pair_instances(self.model, self.data, split, numbers, self.data.scale.expected)]

    @torch.no_grad()
    def samples(self, batch: PairBatch) -> Table:
        """Pairs with their score, the one that is predicted, and how firmly words are aligned."""
        return Table(COLUMNS, [cells(number, item) for number, item in self.records("val", batch).items()])

    def table(self, records: Sequence[Rated]) -> Table:
        return Table(COLUMNS, [cells(number, item) for number, item in enumerate(records)])

    def plain(self, batch: PairBatch) -> list[dict[str, Any]]:
        return [
            dict(zip(("number", "premise", "hypothesis"), (number, *self.data.pair("train", number)), strict=True))
            | {"score": score}
            for number, score in zip(batch.index.tolist(), batch.label.tolist(), strict=True)
            if number != NO_SENTENCE
        ]
