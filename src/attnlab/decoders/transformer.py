"""The decoder of a Transformer: attention over the source in every layer (Vaswani et al. 2017, section 3.1).

In training all steps run at once; in search a step reads one word, with keys and values of the earlier words kept.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.base import Attended, consecutive
from attnlab.attention.multi_head import Heads
from attnlab.decoders.alignment_module import AlignmentModule
from attnlab.decoders.base import Decoded, Decoder
from attnlab.decoders.compiled_step import step_of
from attnlab.decoders.transformer_step import TransformerStep
from attnlab.layers.bridges import Bridge, NoBridge
from attnlab.layers.dims import SourceDims
from attnlab.layers.positions.base import Position
from attnlab.layers.transformer import DecoderLayer, LayerSettings, Stack, stacked
from attnlab.ranges import Depth, ZeroOrMore
from attnlab.types import ConfigError, Encoded, History, Memory, Sample


class Words(NamedTuple):
    """The words so far."""

    said: int
    layers: tuple[Any, ...]  #: what the mixer of every layer keeps of them


class Transformer(Decoder):
    """A stack of layers; its size is that of the embeddings.

    The alignment is what the last layer's attention over the source looks at, the mean of its heads, unless a layer or
    a head is named. It is written out in evaluation, and in training where ``weights_in_training``; else all attention
    runs fused where it can.

    Args:
        embedding_dim: size of the embedded words and of everything that layers hand on.
        source: what the encoder offers.
        attention: over the source; one that is not multi-head is asked in several heads.
        bridge: none; there is no recurrent state to start.
        position, self_attention, layer: of the words so far, see the encoder.
        layers: how many.
        scale_embeddings: multiply embedded words by sqrt(embedding_dim).
        alignment_layer: whose weights are the alignment, from 0; None is the last.
        alignment_head: likewise of its heads; None is their mean.
        alignment_module: an attention of its own is the alignment, which asks with what the alignment layer has made of
            a step and is trained by ``task.guided_alignment``; see ``AlignmentModule``.

    Raises:
        ConfigError: a combination that cannot be built.
    """

    own_dropout = True

    def __init__(
        self,
        embedding_dim: int,
        source: SourceDims,
        attention: Callable[..., nn.Module],
        bridge: Callable[..., Bridge],
        position: Callable[..., Position],
        self_attention: Callable[..., nn.Module],
        layer: LayerSettings,
        layers: Depth = 4,
        scale_embeddings: bool = True,
        alignment_layer: ZeroOrMore | None = None,
        alignment_head: ZeroOrMore | None = None,
        alignment_module: bool = False,
    ) -> None:
        super().__init__()
        require_no_bridge(bridge)
        self.aligned = layers - 1 if alignment_layer is None else alignment_layer
        self.alignment_head = alignment_head
        require_counted("alignment_layer", alignment_layer, layers, "layers")
        self.output_dim = embedding_dim
        self.stack = Stack(
            [
                DecoderLayer(embedding_dim, self_attention, over_source(attention, embedding_dim, source, layer), layer)
                for _ in range(layers)
            ],
            position,
            embedding_dim,
            layer,
            True,
            scale_embeddings,
        )
        require_parallel(self.attention)
        require_counted("alignment_head", alignment_head, self.attention.heads, "heads")
        if alignment_module and alignment_head is not None:
            raise ConfigError("decoder.alignment_module is the alignment itself; leave decoder.alignment_head out")
        self.alignment_module = AlignmentModule(embedding_dim, source.states, layer.heads) if alignment_module else None

    @property
    def attention(self) -> Heads:  # type: ignore[override]
        """Of the layer whose weights are the alignment."""
        return self.stack[self.aligned][0].attention

    @property
    def attentions(self) -> list[nn.Module]:
        return [layer.attention for layer, _ in self.stack]

    def initial_state(self, encoded: Encoded) -> tuple[tuple[Memory, ...], Words]:
        """Keys and values of the source for every layer; and nothing said yet."""
        memory = tuple(layer.attention.memory(encoded) for layer, _ in self.stack)
        if self.alignment_module is not None:
            memory += (self.alignment_module.memory(encoded),)
        rows = encoded.mask.size(0)
        return memory, Words(0, tuple(layer.self_attention.start(rows, encoded.states) for layer, _ in self.stack))

    def decoding_weights(self) -> TransformerStep | None:
        """The step written out, where the layers are plain; see ``transformer_step``."""
        return None if self.alignment_module else step_of(self.stack, self.aligned, self.alignment_head)

    def search_state(self, encoded: Encoded, decoding: TransformerStep | None) -> tuple[Any, Any]:
        return self.initial_state(encoded) if decoding is None else decoding.initial_state(encoded)

    def step(
        self, embedded: Float[Tensor, "N 1 E"], memory: Any, state: Any, decoding: TransformerStep | None
    ) -> Decoded:
        return self(embedded, memory, state) if decoding is None else decoding(embedded, memory, state)

    def forward(self, embedded: Float[Tensor, "N T E"], memory: tuple[Memory, ...], state: Words) -> Decoded:
        start, seen, found, drawn = state.said, [], [], None
        states = self.stack.enter(embedded, start)
        for number, (layer, position) in enumerate(self.stack):
            aligned = number == self.aligned and (self.weights_in_training or not self.training)
            shown = aligned and self.alignment_module is None
            attend = partial(self._attend, layer.attention, memory[number], start, shown)
            mixed, attended = layer(states, position, state.layers[number], attend)
            states = mixed.output
            seen.append(mixed.state)
            found.append(attended)
            if aligned:
                drawn = attended.weights if self.alignment_module is None else self.alignment_module(states, memory[-1])
        said = Words(start + embedded.size(1), tuple(seen))
        return Decoded(self.stack.norm(states), drawn, said, joint([one.sample for one in found]))

    @torch.no_grad()
    def weights_by_head(
        self, embedded: Float[Tensor, "N T E"], memory: tuple[Memory, ...], state: Words
    ) -> Float[Tensor, "N L H T S"] | None:
        """What every head of every layer looks at in the source, all steps at once; for figures."""
        return stacked(self._all_weights(embedded, memory, state)[0])

    @torch.no_grad()
    def self_weights(
        self, embedded: Float[Tensor, "N T E"], memory: tuple[Memory, ...], state: Words
    ) -> Float[Tensor, "N L H T T"] | None:
        return stacked(self._all_weights(embedded, memory, state)[1])

    def _all_weights(
        self, embedded: Float[Tensor, "N T E"], memory: tuple[Memory, ...], state: Words
    ) -> tuple[list[Tensor], list[Tensor | None]]:
        """Of every layer: what its heads look at in the source, and in the words so far."""
        source: list[Tensor] = []
        words = []
        states = self.stack.enter(embedded)
        for number, (layer, position) in enumerate(self.stack):
            attend = partial(self._look, layer.attention, memory[number], source)
            mixed, _ = layer(states, position, state.layers[number], attend, wanted=True)
            states = mixed.output
            words.append(mixed.weights)
        return source, words

    def _look(self, attention: Heads, memory: Memory, weights: list[Tensor], query: Float[Tensor, "N T Q"]) -> Attended:
        """Ask one layer's attention, and keep what each of its heads looks at."""
        past = counted(attention, memory, query, 0)
        weights.append(attention.by_head(query, memory, past)[1])
        found: Attended = attention(query, memory, past)
        return found

    def _attend(
        self, attention: Heads, memory: Memory, start: int, shown: bool, query: Float[Tensor, "N T Q"]
    ) -> Attended:
        """Ask one layer's attention; the hypotheses of a beam are laid along the time axis of their sentence."""
        rows, sentences = query.size(0), memory.mask.size(0)
        asked = query.reshape(sentences, -1, query.size(-1)) if rows != sentences else query
        past = counted(attention, memory, query, start)
        ask = partial(attention, head=self.alignment_head) if shown else attention.context
        found: Attended = ask(asked, memory, past)
        if rows == sentences:
            return found
        weights = None if found.weights is None else found.weights.reshape(rows, query.size(1), -1)
        return Attended(found.context.reshape(query.shape), weights, None)


def counted(attention: Heads, memory: Memory, query: Float[Tensor, "N T Q"], start: int) -> History | None:
    """The number of the step of every query, for a mechanism that counts them."""
    first = attention.initial_state(memory)
    if first is None:
        return None
    each = query.size(0) // memory.mask.size(0)
    rows = History(*(part.repeat_interleave(each, 0) for part in first[:3]))
    return consecutive(rows._replace(step=rows.step + start), query.size(1))


def over_source(attention: Callable[..., nn.Module], model_dim: int, source: SourceDims, layer: LayerSettings) -> Heads:
    """Attention over the source in several heads: those of the preset if it has some, else the layer's."""
    kind = getattr(attention, "func", attention)
    if isinstance(kind, type) and issubclass(kind, Heads):
        return cast(Heads, attention(query_dim=model_dim, key_dim=source.states, summary_dim=source.summary))
    return Heads(attention, model_dim, source.states, layer.heads, layer.attention_dropout, layer.kv_heads)


def joint(samples: list[Sample | None]) -> Sample | None:
    """Layers that draw their weights: log-probabilities and entropies add up."""
    drawn = [sample for sample in samples if sample is not None]
    if not drawn:
        return None
    log_prob, entropy = (torch.stack(part).sum(0) for part in zip(*drawn, strict=True))
    return Sample(log_prob, entropy)


def require_no_bridge(bridge: Callable[..., Bridge]) -> None:
    """Raise ConfigError for a bridge that would have nothing to make."""
    if getattr(bridge, "func", bridge) is not NoBridge:
        raise ConfigError("decoder=transformer has no recurrent state that a bridge could start: take bridge=none")


def require_counted(name: str, asked: int | None, there: int, what: str) -> None:
    """Raise ConfigError for a layer or a head that there is not."""
    if asked is not None and asked >= there:
        raise ConfigError(f"decoder.{name}={asked}: the decoder has {there} {what}, counted from 0")


def require_parallel(attention: Heads) -> None:
    """Raise ConfigError where all steps attend at once and the mechanism has to know what the last one saw."""
    if attention.looks_back:
        mechanism = attention.mechanism
        raise ConfigError(
            f"decoder=transformer attends for all steps at once, and {type(mechanism.score).__name__} with "
            f"{type(mechanism.window).__name__} looks back at where its last step looked. Take decoder=bahdanau "
            "(or luong, luong_input_feeding, conditional_gru), which attends step by step; any encoder can stay"
        )
