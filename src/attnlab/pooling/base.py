"""The contract of a pooling: the annotations of a text, one vector out.

    h_1 … h_S -> z      for one vector of a text, by attention (weights over the words) or without

A pooling is one file with one class and one YAML in ``conf/pooling``.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.checks import check_rows
from attnlab.layers.dims import SourceDims
from attnlab.types import ConfigError, Encoded, History, Sample


class Pooled(NamedTuple):
    """What a text became."""

    vector: Float[Tensor, "B D"]
    weights: Float[Tensor, "B R S"] | None = None  #: of R looks at the words; None where there are none
    penalty: Float[Tensor, " B"] | None = None  #: what a text adds to the objective
    sample: Sample | None = None  #: of weights that are drawn at random, in training


class Pooling(nn.Module, ABC):
    """One vector of a text.

    Args:
        source: sizes of what the encoder hands on.
    """

    output_dim: int  #: D
    attention: nn.Module | None
    rows: tuple[str, ...] = ()  #: what looks, for the rows of a figure

    def __init__(self, source: SourceDims) -> None:
        super().__init__()
        self.output_dim = source.states
        self.attention = None

    @abstractmethod
    def forward(self, encoded: Encoded) -> Pooled: ...

    @torch.no_grad()
    def weights_by_head(self, encoded: Encoded) -> Float[Tensor, "B L H R S"] | None:
        """What every head looks at, in one layer; None where there are no heads."""
        return None


def require_no_history(attention: nn.Module, who: str, what: str = "a text") -> None:
    """Raise ConfigError for a mechanism whose look depends on earlier ones: here there is one look only.

    Args:
        attention: the mechanism.
        who: looks, as it is chosen: ``pooling=mean``.
        what: is looked at.

    Raises:
        ConfigError: names the part that asks for it.
    """
    if not getattr(attention, "needs_history", False):
        return
    mechanism = getattr(attention, "mechanism", attention)
    parts = (getattr(mechanism, "score", None), getattr(mechanism, "window", None))
    asking = next((type(part).__name__ for part in parts if getattr(part, "needs_history", False)), None)
    raise ConfigError(
        f"{who} looks at {what} at once, and {asking or type(attention).__name__} asks where earlier steps "
        "have looked, which a decoder knows. Take a mechanism without a history, such as attention=luong_dot, bahdanau "
        "or cosine, and attention/window=all"
    )


def attend(
    attention: nn.Module, query: Float[Tensor, "B R Q"], encoded: Encoded
) -> tuple[Float[Tensor, "B R C"], Float[Tensor, "B R S"] | None, Sample | None]:
    """Look at the annotations once with every query."""
    memory = attention.memory(encoded)  # type: ignore[operator]
    past: History | None = None
    found = attention(query, memory, past)
    return found.context, found.weights, found.sample


def check_texts(encoded: Encoded) -> None:
    """Raise ValueError for a text with no real token."""
    check_rows(encoded.mask)
