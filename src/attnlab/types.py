"""The vocabulary that every part of the laboratory shares.

Axis legend for the shape annotations: B batch, T target, S source, E embedding, Q query, K key,
V value (or vocabulary, beside logits), A attention width, H hidden, R readout, L layers,
N rows of a beam (hypotheses, sentence-major).

Masks are ``True`` for real tokens and are always called ``mask``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.errors import ConfigError as ConfigError
from attnlab.errors import DataError as DataError
from attnlab.symbols import BOS as BOS
from attnlab.symbols import EOS as EOS
from attnlab.symbols import PAD as PAD
from attnlab.symbols import SPECIALS as SPECIALS
from attnlab.symbols import UNK as UNK

NO_SENTENCE = -1  #: the number of a row that keeps a process at work and is not counted


class Batch(NamedTuple):
    """Sentence pairs of one batch, padded to the longest of each side.

    A process that has none left while others have gets one without weight: no token is to be predicted, and the number
    of every row is ``NO_SENTENCE``.
    """

    source: Int[Tensor, "B S"]  #: ids (no BOS, no EOS), PAD behind
    source_mask: Bool[Tensor, "B S"]
    target: Int[Tensor, "B T1"]  #: BOS y_1 … y_n EOS, PAD behind; T1 = T + 1
    target_mask: Bool[Tensor, "B T"]  #: of ``target[:, 1:]``, the tokens to predict
    tokens: Int[Tensor, " M"]  #: flat positions (b*T + t) of the real target tokens; spares a device sync
    index: Int[Tensor, " B"]  # type: ignore[assignment]  #: sentence number in its split (hides tuple.index)


class Spelled(NamedTuple):
    """The n-grams of the different words of a batch, and which of them stands where."""

    ngrams: Int[Tensor, " M"]  #: buckets, word after word
    starts: Int[Tensor, " U"]  #: where each word's begin
    places: Int[Tensor, "B S"]  #: the number of the word


class Side(NamedTuple):
    """One sentence of every pair of a batch, padded to the longest."""

    words: Int[Tensor, "B S"]  #: ids, PAD behind
    mask: Bool[Tensor, "B S"]
    spelled: Spelled | None = None  #: the n-grams of the words, where the data have some


class Encoded(NamedTuple):
    """What an encoder hands on."""

    states: Float[Tensor, "B S V"]  #: one annotation per source position; zeros on padding
    mask: Bool[Tensor, "B S"]
    summary: Float[Tensor, "B V"]  #: the one fixed context C of the plain encoder-decoder
    final: tuple[Float[Tensor, "B L D"], ...]  #: last state of each layer (LSTM: hidden, cell), directions joined
    values: Float[Tensor, "B S V"] | None = None  #: what attention sums up, where it is not the annotations


class Memory(NamedTuple):
    """What attention looks at; built once a sentence, keys projected once."""

    keys: Float[Tensor, "B S K"]
    values: Float[Tensor, "B S V"]
    mask: Bool[Tensor, "B S"]
    summary: Float[Tensor, "B V"]
    window: Any = ()  #: what the window keeps of a sentence: a tree of tensors, sentence axis first


class History(NamedTuple):
    """Where the decoder has looked so far: one row a query, sentence-major (N = B * T; T is the beam in search)."""

    previous: Float[Tensor, "N S"]  #: weights of the last step
    total: Float[Tensor, "N S"]  #: sum of the weights of all steps
    step: Int[Tensor, " N"]  #: steps taken
    score: Any = ()  #: what the score carries from step to step besides: a tree of tensors, query axis first
    window: Any = ()  #: what the window carries, likewise

    def corrected(self, weights: Float[Tensor, "N S"]) -> "History":
        """The same, had the last step looked so."""
        return self._replace(previous=weights, total=self.total - self.previous + weights)


class Sample(NamedTuple):
    """What is known of an alignment that was drawn at random, a number a step."""

    log_prob: Float[Tensor, "N T"]  #: ln p of what was drawn, with gradient
    entropy: Float[Tensor, "N T"]  #: of the distribution that it was drawn from, in nats


class Step(NamedTuple):
    """One step of a model in search."""

    log_probs: Float[Tensor, "N V"]
    weights: Float[Tensor, "N S"] | None  #: None where the mechanism draws no alignment
    state: Any  #: a tree of tensors, hypothesis axis first


class Hypothesis(NamedTuple):
    """One translation found by a search."""

    tokens: list[int]  #: ids without BOS and EOS
    score: float  #: what the search ranks by
    log_prob: float  #: sum of natural-log probabilities, EOS included
    weights: Tensor | None  #: [len(tokens) (+1 where EOS was produced), S] on the CPU, padding cut
    ended: bool = True  #: whether EOS was produced; else the search had to stop


@runtime_checkable
class StepModel(Protocol):
    """What a search needs of a model.

    Rows of ``state`` are hypotheses, N = B * beam of them, sentence-major (row = b * beam + k); rows of
    ``memory`` are sentences, B of them. Both are trees of tensors with the row axis first; ``select`` takes rows.
    """

    @property
    def longest_target(self) -> int | None:
        """Most steps that can be taken, where the model knows so many positions only; None is any number."""
        ...

    def initial_state(self, source: Int[Tensor, "B S"], source_mask: Bool[Tensor, "B S"], beam: int) -> tuple[Any, Any]:
        """Encode; return ``(memory of B rows, state of B * beam rows)``."""
        ...

    def advance(self, tokens: Int[Tensor, " N"], memory: Any, state: Any) -> Step:
        """Read one token a hypothesis; N must be a multiple of the rows of ``memory``."""
        ...


Tree = TypeVar("Tree")


def tree_map(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """Apply ``function`` to every tensor of a tree of (named) tuples; other leaves pass through."""
    if isinstance(tree, torch.Tensor):
        return function(tree)  # type: ignore[return-value]
    if isinstance(tree, tuple):
        mapped = [tree_map(function, leaf) for leaf in tree]
        return type(tree)(*mapped) if hasattr(tree, "_fields") else tuple(mapped)  # type: ignore[return-value]
    return tree


def select(tree: Tree, rows: Int[Tensor, " M"]) -> Tree:
    """Take rows of every tensor of a tree: reorders a beam, or drops finished sentences."""
    return tree_map(lambda leaf: leaf.index_select(0, rows), tree)
