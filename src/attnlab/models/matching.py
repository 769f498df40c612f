"""The contract of a matching: two embedded sentences, one vector out of what they say of each other.

A matching is one file with one class, and a YAML in ``conf/model`` that puts it between the words and the classes.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Attended, consecutive
from attnlab.encoders.base import Encoder
from attnlab.types import ConfigError, Encoded, History, Memory, Sample


class Embedded(NamedTuple):
    """The words of one sentence of each pair."""

    words: Float[Tensor, "B S E"]
    mask: Bool[Tensor, "B S"]


class Drawn(NamedTuple):
    """Weights that were drawn at random, and which of them count."""

    sample: Sample
    mask: Bool[Tensor, "B T"]  #: the queries that are words


class Matched(NamedTuple):
    """What a pair became; S words of the premise, T of the hypothesis."""

    vector: Float[Tensor, "B D"]
    weights: Float[Tensor, "B T S"] | None = None  #: of the hypothesis over the premise; None where nobody looks
    back: Float[Tensor, "B S T"] | None = None  #: of the premise over the hypothesis
    drawn: tuple[Drawn, ...] = ()
    penalty: Float[Tensor, " B"] | None = None  #: what a pair adds to the objective


class Matching(nn.Module, ABC):
    """One vector of a pair.

    Attributes:
        output_dim: D.
        encoder: reads the premise, and the hypothesis unless that has an encoder of its own.
        attention: by which one side looks at the other; None where there is none.
    """

    output_dim: int
    encoder: Encoder
    attention: nn.Module | None

    @property
    def aligns(self) -> bool:
        """Whether there is an alignment of the two to look at."""
        return bool(getattr(self.attention, "has_weights", False))

    @property
    def drawn_by(self) -> nn.Module | None:
        """What draws weights at random, where they are drawn."""
        return self.attention

    @abstractmethod
    def forward(self, premise: Embedded, hypothesis: Embedded) -> Matched: ...

    def both_ways(
        self, seen: Sequence[Float[Tensor, "M _ _"]], words: int
    ) -> tuple[Float[Tensor, "M T S"], Float[Tensor, "M _ T"]]:
        """The weights of all calls of ``attention``, as those of the hypothesis and those of the premise.

        Args:
            seen: call by call; a head is a row.
            words: of the hypothesis, T.
        """
        raise ConfigError(f"{type(self).__name__} does not say in which order its sentences look at each other")

    def calls(self, forth: Float[Tensor, "M T S"], back: Float[Tensor, "M _ T"]) -> list[Float[Tensor, "M _ _"]]:
        """The inverse of ``both_ways``."""
        raise ConfigError(f"{type(self).__name__} does not say in which order its sentences look at each other")

    @torch.no_grad()
    def weights_by_head(self, premise: Embedded, hypothesis: Embedded) -> Float[Tensor, "B L H T S"] | None:
        """What every head of the hypothesis looks at in the premise, in one layer; None where there are no heads."""
        return None


def look(
    attention: nn.Module, query: Float[Tensor, "B T Q"], asked: Encoded, mask: Bool[Tensor, "B T"]
) -> tuple[Attended, tuple[Drawn, ...]]:
    """Look with all words of one sentence at another.

    Args:
        attention: one that does not look back at its own weights.
        query: what asks.
        asked: what is looked at.
        mask: of the queries.
    """
    found: Attended = attention(query, *past(attention, asked, query.size(1)))
    return found, () if found.sample is None else (Drawn(found.sample, mask),)


def past(attention: nn.Module, asked: Encoded, queries: int) -> tuple[Memory, History | None]:
    """What is looked at, and the history of so many queries that look at once."""
    memory: Memory = attention.memory(asked)  # type: ignore[operator]
    history: History | None = attention.initial_state(memory)  # type: ignore[operator]
    return memory, None if history is None else consecutive(history, queries)


def feed_forward(size: int, hidden: int, layers: int, dropout: float) -> nn.Sequential:
    """So many layers of ``hidden`` numbers with ReLU, each behind dropout; none of them leaves its input as it is."""
    sizes = [size, *[hidden] * layers]
    parts = [(nn.Dropout(dropout), nn.Linear(sizes[n], hidden), nn.ReLU()) for n in range(layers)]
    return nn.Sequential(*(part for three in parts for part in three))


def compared(a: Float[Tensor, "*B D"], b: Float[Tensor, "*B D"]) -> list[Tensor]:
    """What else tells two vectors apart: |a - b| and a * b (Mou et al. 2016; of aligned words Chen et al. 2017)."""
    return [(a - b).abs(), a * b]


def context_dim(attention: nn.Module) -> int:
    return cast(int, attention.context_dim)
