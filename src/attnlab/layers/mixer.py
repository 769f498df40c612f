"""The contract of a mixer: what a layer of a Transformer puts between its positions.

Self-attention in several heads is one (:mod:`attnlab.layers.self_attention`). Another, such as a sliding mean, a
recurrence or a linear attention, is one class with two methods, named where a mechanism is (``self_attention=…``); the
layer around it (norm, dropout, residual connection, feed-forward network), encoder, decoder and search stay.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.layers.positions.base import Position
from attnlab.types import ConfigError


class Mixed(NamedTuple):
    """What a mixer hands on."""

    output: Float[Tensor, "N T D"]
    state: Any  #: of the words so far, for the next call: a tree of tensors, row axis first; () of an encoder
    weights: Float[Tensor, "N H T S"] | None = None  #: what each head looks at, where that was wanted and exists


class Mixer(nn.Module, ABC):
    """Mixes the words of a sentence; in a decoder (``causal``) every word only with those before it and itself.

    A mixer is built with ``model_dim``, ``heads``, ``dropout`` (of weights) and ``causal``.
    """

    @abstractmethod
    def start(self, rows: int, like: Float[Tensor, "..."]) -> Any:
        """The state before the first word of ``rows`` sentences, in the type and on the device of ``like``."""

    @abstractmethod
    def forward(
        self,
        states: Float[Tensor, "N T D"],
        mask: Bool[Tensor, "N T"] | None,
        position: Position,
        state: Any = None,
        wanted: bool = False,
    ) -> Mixed:
        """Mix T words that follow those of ``state``; word by word and all at once give the same.

        Args:
            states: the words.
            mask: of the real ones; None in a decoder, where padding stands behind and is never seen.
            position: where the words stand, for a mixer that reads relative positions.
            state: what the last call returned, or ``start``; None where nothing came before.
            wanted: whether somebody wants to see the weights. They cost time and memory.
        """

    def check_position(self, position: Position) -> None:
        """Raise ConfigError where the mixer cannot act on this position; one that reads none refuses relative ones."""
        if position.relative:
            raise ConfigError(
                f"{type(self).__name__} has no scores for a relative position ({type(position).__name__}) to act on. "
                "Take position=sinusoidal, learned, concatenated or none"
            )


def as_mixer(part: Callable[..., nn.Module]) -> Callable[..., Mixer] | None:
    """A factory of mixers, as that; None of anything else (an attention mechanism, which is then put into heads)."""
    kind = getattr(part, "func", part)
    return cast(Callable[..., Mixer], part) if isinstance(kind, type) and issubclass(kind, Mixer) else None
