"""The contract of an explanation: what a trained model of any task can be asked about its attention.

An instance is one look at one item: the class of a text, one word of a translation, the forecast of a window. It has S
positions that are looked at, and L looks at them (heads, layers, words of another sentence), whose weights it was made
with. A task says how to come from the embedded positions to the output; the rest follows.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.attention.given import as_called, as_looks, given, heads_of, norms_of, watched, watching
from attnlab.types import Encoded, select


class About(NamedTuple):
    """What is told of an instance."""

    number: int  #: of the item in its split
    positions: list[str]  #: names of what is looked at
    output: str  #: of what is explained: the class, the word, the value
    more: Mapping[str, Any] = MappingProxyType({})  #: further entries of its line


class Asked(NamedTuple):
    """What a model says."""

    output: Float[Tensor, "N C"]  #: probabilities of C outputs, or C values
    weights: Float[Tensor, "N L S"]


@dataclass(eq=False)
class Instances(ABC):
    """N instances that are asked together; every tensor has a row for each.

    Attributes:
        inputs: the embedded positions.
        mask: the positions that there are, padding behind.
        looks: the looks that there are.
        weights: of each look, zeros on padding.
        output: what the model says of its own.
        values: whether outputs are values, not probabilities.
        scale: of values, what a change of each is counted in (its standard deviation); None counts it as it is.
    """

    values: ClassVar[bool] = False

    inputs: Float[Tensor, "N S E"]
    mask: Bool[Tensor, "N S"]
    looks: Bool[Tensor, "N L"] = field(init=False)
    weights: Float[Tensor, "N L S"] = field(init=False)
    output: Float[Tensor, "N C"] = field(init=False)
    scale: Float[Tensor, " C"] | None = field(default=None, init=False)

    def __len__(self) -> int:
        return len(self.mask)

    def ask(self) -> None:
        """Ask the model once, when all that it needs is there."""
        with torch.no_grad():
            found = self.read(self.inputs, self.mask)
        self.output, self.weights = found.output, found.weights * self.mask.unsqueeze(1)
        self.looks = self.real_looks()

    def real_looks(self) -> Bool[Tensor, "N L"]:
        """Which looks are none of padding."""
        return torch.ones_like(self.weights[..., 0], dtype=torch.bool)

    def select(self, rows: Int[Tensor, " M"]) -> "Instances":
        """Some of them, each as often as it is named."""
        chosen = copy(self)
        for part in fields(self):
            if part.name != "scale":
                setattr(chosen, part.name, select(getattr(self, part.name), rows))
        return chosen

    @abstractmethod
    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        """What the model makes of these inputs, with its own weights or with given ones. Differentiable."""

    @abstractmethod
    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        """The output with given weights, what was read being as it was. Differentiable."""

    def without(self, left_out: Bool[Tensor, "N S"]) -> Float[Tensor, "N C"]:
        """The output where some positions are left out; the others close up.

        Raises:
            ValueError: nothing is left of an instance.
        """
        order, mask = self.closed_up(left_out)
        inputs = self.inputs.gather(1, order.unsqueeze(-1).expand(-1, -1, self.inputs.size(-1)))
        return self.read(inputs * mask.unsqueeze(-1), mask).output

    def kept(self, left_out: Bool[Tensor, "N S"]) -> Bool[Tensor, "N S"]:
        """The positions that stay.

        Raises:
            ValueError: nothing is left of an instance.
        """
        kept = self.mask & ~left_out
        if not bool(kept.any(1).all()):
            raise ValueError("left_out: every position of an instance; expected one that stays")
        return kept

    def closed_up(self, left_out: Bool[Tensor, "N S"]) -> tuple[Int[Tensor, "N R"], Bool[Tensor, "N R"]]:
        """The positions that stay, in their order, and which of them there are."""
        kept = self.kept(left_out)
        lengths = kept.sum(1)
        order = (~kept).to(torch.int8).argsort(dim=1, stable=True)[:, : int(lengths.max())]
        return order, torch.arange(order.size(1), device=order.device) < lengths.unsqueeze(1)

    def norms(self) -> Float[Tensor, "N S"] | None:
        """How long the vector is that each position adds to what is found; None where that is not to be had."""
        return None

    def mixing(self) -> Float[Tensor, "N K S S"] | None:
        """What positions read of each other in each of the K layers before, the mean of heads; None where none has."""
        return None

    @property
    def width(self) -> int:
        """How much memory one takes, in states of 256 numbers."""
        return self.mask.size(1)

    @property
    def lengths(self) -> Int[Tensor, " N"]:
        return self.mask.sum(1)

    @property
    def attention(self) -> Float[Tensor, "N S"]:
        """The mean of the looks: what is shown of a run, and ranked."""
        looks = self.looks.unsqueeze(-1)
        return (self.weights * looks).sum(1) / looks.sum(1)

    @property
    def predicted(self) -> Int[Tensor, " N"]:
        """The output that is explained: the likeliest, or of values the first."""
        return torch.zeros_like(self.lengths) if self.values else self.output.argmax(1)

    def told(self, output: Float[Tensor, "N C"]) -> Float[Tensor, " N"]:
        """The number that is explained: the probability of what is predicted, or the mean of values, each scaled."""
        if self.values:
            return self._scaled(output).mean(1)
        return output.gather(1, self.predicted.unsqueeze(1)).squeeze(1)

    def change(self, output: Float[Tensor, "N C"]) -> Float[Tensor, " N"]:
        """How far an output is from its own: total variation distance, or the mean of absolute changes, each scaled."""
        difference = (output - self.output).abs()
        return self._scaled(difference).mean(1) if self.values else difference.sum(1) / 2

    def _scaled(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "N C"]:
        return values if self.scale is None else values / self.scale


@dataclass(eq=False)
class EncodedInstances(Instances):
    """Instances whose positions are encoded, and then looked at by one mechanism in one call.

    Attributes:
        encoded: what was read.
    """

    encoded: Encoded = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.encoded = self.encode(self.inputs, self.mask)
        self.ask()

    @property
    @abstractmethod
    def mechanism(self) -> nn.Module | None:
        """What looks."""

    @abstractmethod
    def encode(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> Encoded:
        """What is looked at."""

    @abstractmethod
    def said(self, encoded: Encoded) -> Float[Tensor, "N C"]:
        """The output."""

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        encoded = self.encode(inputs, mask)
        if weights is not None:
            return Asked(self._given(encoded, weights), weights)
        with watched(self.mechanism) as seen:
            output = self.said(encoded)
        return Asked(output, as_looks(seen[0], heads_of(self.mechanism)))

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        return self._given(self.encoded, weights)

    @torch.no_grad()
    def norms(self) -> Float[Tensor, "N S"]:
        with watching(self.mechanism) as spy:
            self.said(self.encoded)
        return norms_of(self.mechanism, spy.seen[0], spy.values[0]).mean(1) * self.mask

    def _given(self, encoded: Encoded, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        with given(self.mechanism, as_called(weights, heads_of(self.mechanism))):
            return self.said(encoded)


def mixed_by(
    encoder: nn.Module, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]
) -> Float[Tensor, "N K S S"] | None:
    """What positions read of each other in each layer of an encoder, the mean of heads; None of one without heads."""
    read = getattr(encoder, "self_weights", None)
    weights: Tensor | None = None if read is None else read(inputs, mask)
    return None if weights is None else weights.mean(2)
