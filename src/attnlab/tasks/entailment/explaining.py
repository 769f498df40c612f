"""What a model of sentence pairs can be asked about the attention of the hypothesis over the premise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnlab.attention.given import as_called, as_looks, given, heads_of, mechanism_of, norms_of, watched, watching
from attnlab.data.labelled.batches import pieces
from attnlab.data.pairs.batches import PairBatch
from attnlab.data.pairs.module import PairData
from attnlab.models.matching import Embedded
from attnlab.models.pair_classifier import PairClassifier
from attnlab.tasks.explaining import About, Asked, Instances, mixed_by
from attnlab.types import tree_map


@dataclass(eq=False)
class PairInstances(Instances):
    """Pairs; positions are the words of the premise, looks those of the hypothesis (of each head).

    What the premise looks at in the hypothesis is as it was, where other weights are given.

    Attributes:
        model: of the run.
        hypothesis: its words, embedded.
        overlap: what the two share, where the model reads that.
        back: what the premise looks at; no looks where it does not look.
    """

    model: PairClassifier
    hypothesis: Embedded
    overlap: Float[Tensor, "N F"] | None
    back: Float[Tensor, "N M T"] = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.back = self._watched(self.inputs, self.mask)[2]
        self.ask()

    def real_looks(self) -> Bool[Tensor, "N L"]:
        return self.hypothesis.mask.repeat(1, heads_of(self.model.matching.attention))

    def told_of(self, logits: Float[Tensor, "N C"]) -> Float[Tensor, "N C"]:
        """The output."""
        return logits.softmax(-1)

    def _said(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> Float[Tensor, "N C"]:
        return self.told_of(self.model.classify(Embedded(inputs, mask), self.hypothesis, self.overlap).logits)

    def _watched(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        attention = self.model.matching.attention
        with watched(attention) as seen:
            output = self._said(inputs, mask)
        forth, back = self.model.matching.both_ways(seen, self.hypothesis.mask.size(1))
        heads = heads_of(attention)
        return output, as_looks(forth, heads), as_looks(back, heads)

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        if weights is None:
            return Asked(*self._watched(inputs, mask)[:2])
        attention = self.model.matching.attention
        heads = heads_of(attention)
        ways = (as_called(part, heads) for part in (weights, self.back))
        with given(attention, *self.model.matching.calls(*ways)):
            return Asked(self._said(inputs, mask), weights)

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        return self.read(self.inputs, self.mask, weights).output

    @torch.no_grad()
    def norms(self) -> Float[Tensor, "N S"]:
        attention, asked = self.model.matching.attention, self.hypothesis.mask
        with watching(attention) as spy:
            self._said(self.inputs, self.mask)
        found = [norms_of(attention, *pair) for pair in zip(spy.seen, spy.values, strict=True)]
        rows = self.model.matching.both_ways(found, asked.size(1))[0] * asked.unsqueeze(-1)
        return rows.sum(1) / asked.sum(1, keepdim=True) * self.mask

    def mixing(self) -> Float[Tensor, "N K S S"] | None:
        return mixed_by(self.model.matching.encoder, self.inputs, self.mask)


@dataclass(eq=False)
class RatedInstances(PairInstances):
    """The same where the output is a score on a scale."""

    values: ClassVar[bool] = True
    expected: Callable[[Tensor], Tensor]

    def told_of(self, logits: Float[Tensor, "N C"]) -> Float[Tensor, "N 1"]:
        return self.expected(logits).unsqueeze(1)


def pair_instances(
    model: Any, data: PairData, split: str, numbers: Sequence[int], expected: Callable[[Tensor], Tensor] | None = None
) -> tuple[PairInstances, list[About]]:
    """Some pairs of a split.

    Args:
        model: of the run.
        data: the pairs.
        split: of them.
        numbers: which.
        expected: from logits to a score, where the output is one.

    Raises:
        ConfigError: neither sentence looks at the other.
    """
    mechanism_of(getattr(getattr(model, "matching", None), "attention", None))
    device = next(model.parameters()).device
    batch: PairBatch = tree_map(lambda part: part.to(device), data.batch(split, numbers))
    with torch.no_grad():
        premise, hypothesis = model.embedded(batch.premise), model.embedded(batch.hypothesis)
    parts = premise.words, premise.mask, model, hypothesis, batch.overlap
    found = PairInstances(*parts) if expected is None else RatedInstances(*parts, expected)
    told = []
    for row, (number, label) in enumerate(zip(numbers, batch.label.tolist(), strict=True)):
        sides = [pieces(data.tokenizer, side) for side in data.pair(split, number)]
        more = {"hypothesis": " ".join(sides[1]), "label": label}
        said = f"{float(found.output[row, 0]):.3f}"
        if expected is None:
            probability, best = found.output[row].max(0)
            said = data.classes[int(best)]
            more |= {"label": data.classes[label], "probability": float(probability)}
        told.append(About(number, sides[0], said, more))
    return found, told
