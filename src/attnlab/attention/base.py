"""The contract of an attention mechanism: a score, a window and a normalizer; the decoder is the placement.

    e_ij = score(query_i, key_j)            how well does key j match query i?
    a_i  = normalizer(e_i over the window)  which positions may be looked at, and how scores become weights
    c_i  = sum_j a_ij value_j               the context; value_j is the annotation unless the score says otherwise

A mechanism is one file with one ``Score`` (or ``Window``, or ``Normalizer``) and one YAML in ``conf/attention``. Its
module docstring is its entry in the gallery: a first line that says what it is, the equation in LaTeX between ``$$``,
a paragraph ``Paper:`` and a paragraph ``Cost:``; what follows explains.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.checks import check_rows
from attnlab.attention.row_sums import RowSum
from attnlab.moved import refuse
from attnlab.ranges import Width
from attnlab.types import Encoded, History, Memory, Sample


class Attended(NamedTuple):
    context: Float[Tensor, "B T V"]
    weights: Float[Tensor, "B T S"] | None  #: None where the mechanism draws no alignment
    history: History | None
    sample: Sample | None = None  #: of a normalizer that draws its weights at random, in training


class WindowOutput(NamedTuple):
    weights: Float[Tensor, "B T S"]
    next_state: Any = ()  #: what the window wants to find in ``History.window`` at the next step


class Part(nn.Module):
    """What score, window and normalizer share."""

    def initialize(self) -> None:
        """Set the parameters whose first value is part of the mechanism; called after the model's initialisation."""

    def check(self, attention: "Attention") -> None:
        """Raise ConfigError, with the nearest combination that works, where the other parts do not fit this one."""


class QueryKeyPart(Part):
    """What is asked with a query of what it looks back at: score and window. Built with the sizes of both sides."""

    needs_history = False
    counts_only = False  #: of the History it reads only ``step``, so that all steps may still be asked at once

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        refuse(cls, "begin", "carry")

    def __init__(self, query_dim: int, key_dim: int) -> None:
        super().__init__()
        self.query_dim, self.key_dim = query_dim, key_dim

    def initial_state(self, memory: Memory) -> Any:
        """What it carries from step to step besides the weights, before the first step, a row a sentence."""
        return ()


class Score(QueryKeyPart, ABC):
    """How well does key j match query i?"""

    #: c of a score that is nothing but c q_i^T key_j: torch computes the softmax attention of such a score fused
    product_scale: float | None = None
    reads_query = reads_keys = True  #: whether e_ij depends on what query and key say
    reads_length = False  #: whether e_ij depends on where the sentence ends, not on query i and key j alone

    @property
    def value_dim(self) -> int:
        """Size of a value, and so of the context."""
        return self.key_dim

    def values(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S C"]:
        """What the weights sum up: the annotations themselves unless a score keeps keys and values apart."""
        return states

    def keys(self, states: Float[Tensor, "B S V"]) -> Float[Tensor, "B S K"]:
        """Project the annotations to keys, once a sentence. Identity unless a score has a key projection."""
        return states

    @abstractmethod
    def forward(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None
    ) -> Float[Tensor, "B T S"]: ...

    def additive(self) -> tuple[Float[Tensor, "A Q"], Float[Tensor, " A"]] | None:
        """W and v of a score that is nothing but v^T tanh(W q_i + key_j); None of any other."""
        return None

    def next_state(
        self, query: Float[Tensor, "B T Q"], memory: Memory, history: History, weights: Float[Tensor, "B T S"]
    ) -> Any:
        """What it wants to find in ``History.score`` at the next step, a row a query."""
        return ()


class Window(QueryKeyPart, ABC):
    """Which positions may be looked at?"""

    #: whether what a query sees depends on where the sentence ends, not on the places of query and word alone
    reads_length = True

    def row_sum(self, normalizer: RowSum) -> RowSum:
        """What the rows sum to, given what those of the normalizer do."""
        return normalizer

    def memory(self, states: Float[Tensor, "B S V"]) -> Any:
        """What the window needs of the annotations, made once a sentence and found again in ``Memory.window``."""
        return ()

    @abstractmethod
    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Bool[Tensor, "B #T S"]:
        """True where a query may look. ``history.step`` is the place of each query, where the window asks for it."""

    def weigh(
        self,
        scores: Float[Tensor, "B T S"],
        normalizer: "Normalizer",
        query: Float[Tensor, "B T Q"],
        memory: Memory,
        history: History | None,
    ) -> WindowOutput:
        """Scores to weights; a window that is more than a mask (a Gaussian, a recursion) says here what it does."""
        return WindowOutput(normalizer(scores, self(query, memory, history)))


class Normalizer(Part, ABC):
    """How do the scores inside the window become weights?"""

    row_sum = RowSum.ONE  #: of its weights inside a window
    draws = False  #: whether weights are drawn at random in training, with a gradient by the score function

    @abstractmethod
    def forward(self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"]) -> Float[Tensor, "B T S"]: ...

    def sample(
        self, scores: Float[Tensor, "B T S"], mask: Bool[Tensor, "B #T S"], weights: Float[Tensor, "B T S"]
    ) -> Sample:
        """What is known of the weights, of a normalizer that ``draws`` them."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing at random")

    def surrogate(self, sample: Sample, reward: Float[Tensor, " B"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
        """What a normalizer that ``draws`` adds to the summed loss; ``reward`` is ln p(y | what was drawn)."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing at random")


class Attention(nn.Module):
    """Score, window and normalizer put together.

    Args:
        score, window: called with the sizes that only the model knows.
        normalizer: called without arguments; a factory too, so that every place of attention has one of its own.
        query_dim, key_dim: sizes of the decoder's queries and of the encoder's annotations.
        summary_dim: size of the fixed context C; only the mechanism ``none`` reads it.

    Raises:
        ConfigError: parts that do not fit each other.
    """

    has_weights = True

    def __init__(
        self,
        score: Callable[..., Score],
        window: Callable[..., Window],
        normalizer: Callable[[], Normalizer],
        query_dim: int,
        key_dim: int,
        summary_dim: Width | None = None,
    ) -> None:
        super().__init__()
        self.score = score(query_dim=query_dim, key_dim=key_dim)
        self.window = window(query_dim=query_dim, key_dim=key_dim)
        self.normalizer = normalizer()
        self.context_dim = self.score.value_dim
        parts = [part for part in self.modules() if isinstance(part, Part)]
        for part in parts:
            part.initialize()
            part.check(self)

    @property
    def fixed_weights(self) -> bool:
        """Whether weights depend on nothing that is read, so that no loss on them teaches anything."""
        return not (self.score.reads_query or self.score.reads_keys or any(True for _ in self.parameters()))

    @property
    def needs_history(self) -> bool:
        """Whether it has to be told which step this is and where earlier ones have looked."""
        return self.score.needs_history or self.window.needs_history

    @property
    def looks_back(self) -> bool:
        """Whether a step depends on where earlier steps have looked; such a mechanism takes T = 1 only."""
        return any(part.needs_history and not part.counts_only for part in (self.score, self.window))

    @property
    def row_sum(self) -> RowSum:
        """What the weights of a query sum to."""
        return self.window.row_sum(self.normalizer.row_sum)

    def memory(self, encoded: Encoded) -> Memory:
        """Project the keys of a batch of sentences, once.

        Raises:
            ValueError: a sentence has no real token (its weights would be 0 / 0).
        """
        check_rows(encoded.mask)
        states = encoded.states
        keys = self.score.keys(states)
        values = self.score.values(states if encoded.values is None else encoded.values)
        return Memory(keys, values, encoded.mask, encoded.summary, self.window.memory(states))

    def initial_state(self, memory: Memory) -> History | None:
        """The past of a decoder that has looked nowhere yet, a row a sentence; None where nobody asks for it."""
        if not self.needs_history:
            return None
        nowhere = memory.values.new_zeros(memory.mask.shape)
        steps = torch.zeros_like(memory.mask[:, 0], dtype=torch.long)
        return History(nowhere, nowhere, steps, self.score.initial_state(memory), self.window.initial_state(memory))

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None = None) -> Attended:
        """Attend with every query of every sentence.

        A mechanism that looks back takes one step in a call: its ``history`` has one row a query, so T is 1, or the
        beam of a search, whose hypotheses are each a query with a past of its own.

        Raises:
            ValueError: several steps in one call of a mechanism whose next step depends on its last one.
        """
        if self.needs_history and (history is None or len(history.step) != query.size(0) * query.size(1)):
            raise ValueError(
                f"{type(self.score).__name__} with {type(self.window).__name__} looks back at its own last step: "
                f"give it its History and one query at a time (T = 1), not T = {query.size(1)}"
            )
        scores = self.score(query, memory, history)
        weights, next_state = self.window.weigh(scores, self.normalizer, query, memory, history)
        sample = None
        if self.normalizer.draws and self.training:
            sample = self.normalizer.sample(scores, self.window(query, memory, history), weights)
        if history is not None:
            rows = weights.flatten(0, 1)
            kept = self.score.next_state(query, memory, history, weights)
            history = History(rows, history.total + rows, history.step + 1, kept, next_state)
        return Attended(weights @ memory.values, weights, history, sample)

    def surrogate(self, sample: Sample, reward: Float[Tensor, " B"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
        """See ``Normalizer.surrogate``."""
        return self.normalizer.surrogate(sample, reward, mask)


def consecutive(history: History, steps: int) -> History:
    """The past of ``steps`` queries that are asked at once, a row a query, for a mechanism that only counts them."""
    ahead = torch.arange(steps, device=history.step.device)
    numbers = history.step.unsqueeze(1) + ahead.view(-1, *[1] * (history.step.dim() - 1))  # heads may stand behind
    unread = history.previous.repeat_interleave(steps, 0)
    return History(unread, unread, numbers.flatten(0, 1))
