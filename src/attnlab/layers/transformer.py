"""The layers of a Transformer: attention and a feed-forward network, each with a residual connection and a norm.

    post-norm: x = LayerNorm(x + dropout(f(x)))       Vaswani et al. 2017, sections 3.1 and 5.4
    pre-norm:  x = x + dropout(f(LayerNorm(x)))       Xiong et al. 2020, "On layer normalization in the Transformer"
    FFN(x) = W_2 max(0, W_1 x + b_1) + b_2            Vaswani et al. 2017, equation (2)

Without residual connections (the ablation) ``x +`` is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.base import Attended
from attnlab.attention.multi_head import Heads
from attnlab.layers.mixer import Mixed, Mixer, as_mixer
from attnlab.layers.positions.base import Position
from attnlab.layers.self_attention import SelfAttention
from attnlab.ranges import Fraction, Width
from attnlab.types import ConfigError

Factory = Callable[..., nn.Module]
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}


@dataclass(frozen=True)
class LayerSettings:
    """What the layers of a stack have in common.

    Args:
        heads: of self-attention, and of attention over the source where its preset is not multi-head itself.
        feedforward_dim: size inside the feed-forward network.
        dropout: of what attention and the feed-forward network hand on, and of embedded words with their positions.
        attention_dropout: of attention weights.
        activation_dropout: inside the feed-forward network.
        activation: ``relu`` or ``gelu`` (exact).
        norm: ``pre`` or ``post``.
        residual: False leaves the residual connections out.
        kv_heads: keys and values, shared by groups of heads, see ``Heads``; None is one for each head.

    Raises:
        ConfigError: a number of heads or a size below 1.
    """

    heads: Width = 4
    feedforward_dim: Width = 512
    dropout: Fraction = 0.1
    attention_dropout: Fraction = 0.0
    activation_dropout: Fraction = 0.0
    activation: Literal["relu", "gelu"] = "relu"
    norm: Literal["pre", "post"] = "pre"
    residual: bool = True
    kv_heads: Width | None = None

    def __post_init__(self) -> None:
        if self.heads < 1 or self.feedforward_dim < 1:
            raise ConfigError(f"heads and feedforward_dim must be at least 1, got {self.heads}, {self.feedforward_dim}")


class Sublayer(nn.Module):
    """Norm, dropout and residual connection around what a layer does; ``read`` is whether that reads its input."""

    def __init__(self, model_dim: int, settings: LayerSettings, read: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(model_dim) if read or settings.norm == "post" else nn.Identity()
        self.dropout = nn.Dropout(settings.dropout)
        self.first, self.residual = settings.norm == "pre", settings.residual

    def before(self, states: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        return self.norm(states) if self.first else states

    def after(self, states: Float[Tensor, "N T D"], found: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        """``states`` as they came to the sublayer, ``found`` as it made them."""
        found = self.dropout(found)
        if self.residual:
            found = states + found
        return found if self.first else self.norm(found)


class FeedForward(nn.Sequential):
    """FFN(x) = W_2 activation(W_1 x + b_1) + b_2."""

    def __init__(self, model_dim: int, settings: LayerSettings) -> None:
        super().__init__(
            nn.Linear(model_dim, settings.feedforward_dim),
            ACTIVATIONS[settings.activation](),
            nn.Dropout(settings.activation_dropout),
            nn.Linear(settings.feedforward_dim, model_dim),
        )


def mixer(part: Factory, model_dim: int, settings: LayerSettings, causal: bool) -> Mixer:
    """What ``self_attention=…`` names: a mixer as it is, an attention mechanism in the layer's heads."""
    make = as_mixer(part)
    if make is not None:
        return make(model_dim=model_dim, heads=settings.heads, dropout=settings.attention_dropout, causal=causal)
    return SelfAttention(part, model_dim, settings.heads, settings.attention_dropout, causal, settings.kv_heads)


class EncoderLayer(nn.Module):
    """A mixer (self-attention), then the feed-forward network."""

    def __init__(self, model_dim: int, mechanism: Factory, settings: LayerSettings) -> None:
        super().__init__()
        self.self_attention = mixer(mechanism, model_dim, settings, causal=False)
        self.feedforward = FeedForward(model_dim, settings)
        self.around_self, self.around_feedforward = Sublayer(model_dim, settings), Sublayer(model_dim, settings)

    def forward(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], position: Position, wanted: bool = False
    ) -> Mixed:
        """One layer; the weights of its mixer where they are ``wanted``."""
        mixed = self.self_attention(self.around_self.before(states), mask, position, None, wanted)
        states = self.around_self.after(states, mixed.output)
        found = self.feedforward(self.around_feedforward.before(states))
        return Mixed(self.around_feedforward.after(states, found), (), mixed.weights)


class DecoderLayer(nn.Module):
    """A mixer of the words so far, attention over the source, the feed-forward network."""

    def __init__(self, model_dim: int, mechanism: Factory, attention: Heads, settings: LayerSettings) -> None:
        super().__init__()
        self.self_attention = mixer(mechanism, model_dim, settings, causal=True)
        self.attention = attention
        self.feedforward = FeedForward(model_dim, settings)
        self.around_self, self.around_feedforward = Sublayer(model_dim, settings), Sublayer(model_dim, settings)
        self.around_attention = Sublayer(model_dim, settings, attention.reads_query)

    def forward(
        self,
        states: Float[Tensor, "N T D"],
        position: Position,
        state: Any,
        attend: Callable[[Tensor], Attended],
        wanted: bool = False,
    ) -> tuple[Mixed, Attended]:
        """One layer; ``attend`` asks ``self.attention`` of the source."""
        mixed = self.self_attention(self.around_self.before(states), None, position, state, wanted)
        states = self.around_self.after(states, mixed.output)
        attended = attend(self.around_attention.before(states))
        states = self.around_attention.after(states, attended.context)
        found = self.feedforward(self.around_feedforward.before(states))
        return mixed._replace(output=self.around_feedforward.after(states, found)), attended


Layer = TypeVar("Layer", EncoderLayer, DecoderLayer)


class Stack(nn.Module, Generic[Layer]):
    """Layers and where their words stand, the way in and the last norm: what encoder and decoder share.

    Args:
        layers: made already.
        position: factory; called once for all layers, or once a layer where a kind has parameters of its own there.
        model_dim: size of the embedded words.
        settings: what the layers have in common.
        causal: whether words see only what stands before them.
        scale_embeddings: multiply embedded words by sqrt(model_dim) (Vaswani et al. 2017, section 3.4).

    Raises:
        ConfigError: no layer, or a position that the score of self-attention does not go with.
    """

    def __init__(
        self,
        layers: list[Layer],
        position: Callable[..., Position],
        model_dim: int,
        settings: LayerSettings,
        causal: bool,
        scale_embeddings: bool,
    ) -> None:
        super().__init__()
        if not layers:
            raise ConfigError("a Transformer has at least one layer, got layers=0")
        made = [position(model_dim=model_dim, heads=settings.heads, causal=causal)]
        made += [
            position(model_dim=model_dim, heads=settings.heads, causal=causal)
            for _ in range(len(layers) - 1 if made[0].each_layer else 0)
        ]
        layers[0].self_attention.check_position(made[0])
        self.layers, self.positions = nn.ModuleList(layers), nn.ModuleList(made)
        # Pre-norm leaves what the last layer adds without a norm of its own.
        self.norm = nn.LayerNorm(model_dim) if settings.norm == "pre" else nn.Identity()
        self.dropout = nn.Dropout(settings.dropout)
        self.scale = model_dim**0.5 if scale_embeddings else 1.0

    def enter(self, embedded: Float[Tensor, "N T E"], start: int = 0) -> Float[Tensor, "N T E"]:
        """Embedded words with their positions, the first of which is ``start``."""
        told: Tensor = self.dropout(cast(Position, self.positions[0]).embed(embedded * self.scale, start))
        return told

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, number: int) -> tuple[Layer, Position]:
        """A layer and the position that its self-attention is told."""
        layer, position = self.layers[number], self.positions[number % len(self.positions)]
        return cast(Layer, layer), cast(Position, position)

    def __iter__(self) -> Iterator[tuple[Layer, Position]]:
        return (self[number] for number in range(len(self)))


def stacked(weights: Sequence[Tensor | None]) -> Float[Tensor, "N L H T S"] | None:
    """The weights of all layers side by side; None where a layer has none."""
    seen = [one for one in weights if one is not None]
    return torch.stack(seen, dim=1) if seen and len(seen) == len(weights) else None
