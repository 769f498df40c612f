"""The contract of an attention mechanism: a score, a window and a normalizer; the decoder is the placement.

    e_ij = score(query_i, key_j)            how well does key j match query i?
    a_i  = normalizer(e_i over the window)  which positions may be looked at, and how scores become weights
    c_i  = sum_j a_ij value_j               the context

A mechanism is one file with one ``Score`` (or ``Window``, or ``Normalizer``) and one YAML in ``conf/attention``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.types import ConfigError, Encoded, History, Memory


class Attended(NamedTuple):
    context: Float[Tensor, "B T V"]
    weights: Float[Tensor, "B T S"] | None  #: None where the mechanism draws no alignment
    history: History | None


class Score(nn.Module, ABC):
    """How well does key j match query i? Built with the sizes of both."""

    needs_history = False

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__()
        self.query_dim, self.key_dim = query_dim, key_dim

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S K"]:
        """Project the annotations to keys, once a sentence. Identity unless a score has a key projection."""
        return states

    @abstractmethod
    def forward(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None
    ) -> Float[Tensor, "B T S"]: ...


class Window(nn.Module, ABC):
    """Which positions may be looked at? Built with the size of the query."""

    needs_history = False

    def __init__(self, query_dim: int) -> None:
        super().__init__()
        self.query_dim = query_dim

    @abstractmethod
    def forward(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None
    ) -> Bool[Tensor, "B #T S"]: ...


class Normalizer(nn.Module, ABC):
    """How do the scores inside the window become weights?"""

    @abstractmethod
    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]: ...


class Attention(nn.Module):
    """Score, window and normalizer put together.

    Args:
        score, window: called with the sizes that only the model knows.
        normalizer: turns scores into weights.
        query_dim, key_dim: sizes of the decoder's queries and of the encoder's annotations.
        summary_dim: size of the fixed context C; only the mechanism ``none`` reads it.
    """

    draws_alignment = True

    def __init__(
        self,
        score: Callable[..., Score],
        window: Callable[..., Window],
        normalizer: Normalizer,
        query_dim: int,
        key_dim: int,
        summary_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.score = score(query_dim=query_dim, key_dim=key_dim)
        self.window = window(query_dim=query_dim)
        self.normalizer = normalizer
        self.context_dim = key_dim

    @property
    def needs_history(self) -> bool:
        """Whether a step depends on where earlier steps have looked; such a mechanism takes T = 1 only."""
        return self.score.needs_history or self.window.needs_history

    def memory(self, encoded: Encoded) -> Memory:
        """Project the keys of a batch of sentences, once.

        Raises:
            ValueError: a sentence has no real token (its weights would be 0 / 0).
        """
        check_rows(encoded.mask)
        return Memory(self.score.keys(encoded.states), encoded.states, encoded.mask, encoded.summary)

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None) -> Attended:
        """Attend with every query of every sentence.

        Raises:
            ValueError: T > 1 for a mechanism whose next step depends on its last one.
        """
        if self.needs_history and (history is None or query.size(1) != 1):
            raise ValueError(
                f"{type(self.score).__name__} with {type(self.window).__name__} looks back at its own last step: "
                f"give it its History and one query at a time (T = 1), not T = {query.size(1)}"
            )
        scores = self.score(query, memory, history)
        weights = self.normalizer(scores, self.window(query, memory, history))
        return Attended(weights @ memory.values, weights, advance(history, weights))


def advance(history: History | None, weights: Float[Tensor, "B T S"]) -> History | None:
    if history is None:
        return None
    return History(weights[:, -1], history.total + weights.sum(1), history.step + weights.size(1))


def check_rows(mask: Bool[Tensor, "B S"]) -> None:
    real = mask.any(1).all()
    if real.is_cuda:
        torch._assert_async(real, "attention over a sentence with no real token")
    elif not real:
        rows = (~mask.any(1)).nonzero().flatten().tolist()
        raise ValueError(f"attention over a sentence with no real token: rows {rows} of the mask are all False")


def require_equal_sizes(name: str, query_dim: int, key_dim: int) -> None:
    if query_dim != key_dim:
        raise ConfigError(
            f"attention={name} compares queries and keys as they are, so their sizes must agree: the decoder's state "
            f"has {query_dim} and the encoder's annotations {key_dim}. "
            f"Set decoder.hidden_dim={key_dim}, or take attention=luong_general"
        )
