"""The contract of a decoder: a recurrence, a placement of attention in it, and a readout.

One code serves training and search: ``forward`` takes embedded words ``[N, T, E]``, with T the whole target or 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Attended
from attnlab.attention.given import watched
from attnlab.attention.multi_head import Heads
from attnlab.attention.none import NoAttention
from attnlab.decoders.loops import fused
from attnlab.decoders.readout import Read, Readout
from attnlab.layers.bridges import Bridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import Recurrent, State, Unrolled
from attnlab.moved import refuse
from attnlab.types import ConfigError, Encoded, History, Memory, Sample


class DecoderState(NamedTuple):
    cells: State  #: ``[N, L, H]`` a part
    feed: Float[Tensor, "N R"] | None  #: the last feature, where it is fed back
    history: History | None  #: where a mechanism that looks back has looked


class Decoded(NamedTuple):
    features: Float[Tensor, "N T R"]
    weights: Float[Tensor, "N T S"] | None  #: differentiable: a loss may be put on them
    state: Any  #: the decoder's own: a tree of tensors, hypothesis axis first
    sample: Sample | None = None  #: of weights that were drawn at random, in training


class Decoder(nn.Module, ABC):
    """What the model needs of a decoder; memory and state are trees of tensors that only the decoder looks into."""

    attention: Any  #: the mechanism whose weights are the alignment
    output_dim: int  #: size of a feature
    own_dropout = False  #: whether it drops out embedded words and features itself, where its paper has it
    #: in training, too, weights are handed on where it takes more than what is there: a loss is put on them
    weights_in_training = False
    aligned = -1  #: of the layers of ``weights_by_head``, the one whose weights are the alignment

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        refuse(cls, "begin", "lay_out")

    @abstractmethod
    def initial_state(self, encoded: Encoded) -> tuple[Any, Any]:
        """What is looked at (sentence axis first), with the keys projected; and the state before the first word."""

    @abstractmethod
    def forward(self, embedded: Float[Tensor, "N T E"], memory: Any, state: Any) -> Decoded: ...

    @torch.no_grad()
    def weights_by_head(
        self, embedded: Float[Tensor, "N T E"], memory: Any, state: Any
    ) -> Float[Tensor, "N L H T S"] | None:
        """What every head of every layer looks at in the source, for figures; None where there are no heads."""
        return None

    @property
    def attentions(self) -> list[nn.Module]:
        """What looks at the source, layer by layer."""
        return [self.attention]

    def self_weights(
        self, embedded: Float[Tensor, "N T E"], memory: Any, state: Any
    ) -> Float[Tensor, "N L H T T"] | None:
        """The same of the words that were read so far; None where no layer looks at them."""
        return None

    def decoding_weights(self) -> Any:
        """What ``step`` wants of the weights, rearranged once a search; None where it takes them as they are."""
        return None

    def search_state(self, encoded: Encoded, decoding: Any) -> tuple[Any, Any]:
        """``initial_state``, as ``step`` wants memory and state with what ``decoding_weights`` gave.

        A step may use its state up: a search goes on from the last one only.
        """
        return self.initial_state(encoded)

    def step(self, embedded: Float[Tensor, "N 1 E"], memory: Any, state: Any, decoding: Any) -> Decoded:
        """One step of a search: ``forward``, with what ``decoding_weights`` gave when the search began."""
        decoded: Decoded = self(embedded, memory, state)
        return decoded


class DecodingWeights(NamedTuple):
    """The weights of a recurrent decoder, laid out for stepping."""

    stacks: list[Unrolled]
    readout: Read


class RecurrentDecoder(Decoder):
    """What all recurrent decoders share; a decoder adds its recurrence and its placement.

    Args:
        embedding_dim: size of the embedded words.
        source: what the encoder offers.
        attention: called with the sizes of query, annotation and summary.
        bridge: called with ``source`` and the decoder's sizes; makes the first state.
        readout: called with the sizes of state, context and embedded word.
        hidden_dim, layers: of the recurrence.
        parts: tensors in the state of a layer, 2 for an LSTM.
    """

    def __init__(
        self,
        embedding_dim: int,
        source: SourceDims,
        attention: Callable[..., Any],
        bridge: Callable[..., Bridge],
        readout: Callable[..., Readout],
        hidden_dim: int,
        layers: int,
        parts: int,
    ) -> None:
        super().__init__()
        self.attention = attention(query_dim=hidden_dim, key_dim=source.states, summary_dim=source.summary)
        self.bridge = bridge(source=source, parts=parts, layers=layers, hidden_dim=hidden_dim)
        self.readout = readout(
            state_dim=hidden_dim, context_dim=self.attention.context_dim, embedding_dim=embedding_dim
        )
        self.output_dim = self.readout.output_dim

    def initial_state(self, encoded: Encoded) -> tuple[Memory, DecoderState]:
        """Project the keys and make the first state."""
        memory, cells = self.attention.memory(encoded), self.bridge(encoded)
        return memory, DecoderState(cells, self.first_feed(encoded), self.attention.initial_state(memory))

    @torch.no_grad()
    def weights_by_head(
        self, embedded: Float[Tensor, "N T E"], memory: Memory, state: DecoderState
    ) -> Float[Tensor, "N L H T S"] | None:
        if not isinstance(self.attention, Heads):
            return None
        with watched(self.attention) as seen:
            self(embedded, memory, state)
        return self.attention.unfold(torch.cat(seen, dim=1)).unsqueeze(1)

    def first_feed(self, encoded: Encoded) -> Float[Tensor, "B R"] | None:
        """The feature fed back at the first step; None in a decoder that feeds nothing back."""
        return None

    def attend(self, query: Float[Tensor, "N T Q"], memory: Memory, history: History | None = None) -> Attended:
        """Attend from rows that may be the hypotheses of a beam, N = B * beam, over the memory of B sentences.

        The beam is laid along the time axis of the queries, so the memory is neither repeated nor reordered.
        """
        rows, sentences = query.size(0), memory.mask.size(0)
        if rows == sentences:
            whole = fused(self.attention, query, memory) if query.is_cuda else None
            attended: Attended = self.attention(query, memory, history) if whole is None else whole
            return attended
        found: Attended = self.attention(query.reshape(sentences, -1, query.size(-1)), memory, history)
        shape = (rows, query.size(1))
        weights = None if found.weights is None else found.weights.reshape(*shape, -1)
        return Attended(found.context.reshape(*shape, -1), weights, found.history, None)


class SteppedDecoder(RecurrentDecoder):
    """One that has its loop over the steps written out, too; a search takes them with weights laid out once."""

    recurrent: Recurrent

    @property
    def stacks(self) -> list[Recurrent]:
        """What is stepped."""
        return [self.recurrent]

    @abstractmethod
    def step_by_step(
        self,
        embedded: Float[Tensor, "N T E"],
        memory: Memory,
        state: DecoderState,
        decoding: DecodingWeights | None = None,
    ) -> Decoded:
        """``forward`` as a plain loop over the steps."""

    def decoding_weights(self) -> DecodingWeights:
        return DecodingWeights([stack.unroll() for stack in self.stacks], self.readout.decoding_weights())

    def step(
        self, embedded: Float[Tensor, "N 1 E"], memory: Memory, state: DecoderState, decoding: DecodingWeights
    ) -> Decoded:
        return self.step_by_step(embedded, memory, state, decoding)


def require_fixed_context(name: str, attention: nn.Module) -> None:
    """Raise ConfigError where a decoder without a place for attention is given some."""
    if not isinstance(attention, NoAttention):
        raise ConfigError(
            f"decoder={name} is a plain encoder-decoder with one fixed context and no place for attention. "
            f"Take attention=none, or a decoder that attends: bahdanau, luong, luong_input_feeding, conditional_gru"
        )


class Trace:
    """What attention did in the steps of a loop."""

    def __init__(self) -> None:
        self.steps: list[Attended] = []

    def add(self, attended: Attended) -> Float[Tensor, "N V"]:
        """Keep a step; its context."""
        self.steps.append(attended)
        return attended.context.squeeze(1)

    @property
    def contexts(self) -> Float[Tensor, "N T V"]:
        return torch.cat([step.context for step in self.steps], dim=1)

    @property
    def weights(self) -> Float[Tensor, "N T S"] | None:
        """Of all steps; None for a mechanism that draws no alignment."""
        drawn = [step.weights for step in self.steps if step.weights is not None]
        return torch.cat(drawn, dim=1) if drawn else None

    @property
    def sample(self) -> Sample | None:
        drawn = [step.sample for step in self.steps if step.sample is not None]
        return Sample(*(torch.cat(part, dim=1) for part in zip(*drawn, strict=True))) if drawn else None
