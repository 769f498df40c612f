"""How the decoder's first state comes from the encoder."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from attnlab.layers.dims import SourceDims
from attnlab.layers.recurrent import State
from attnlab.types import ConfigError, Encoded


class Bridge(nn.Module, ABC):
    """Args: ``source``, what the encoder offers; ``parts``, ``layers``, ``hidden_dim``, what the decoder needs."""

    def __init__(self, source: SourceDims, parts: int, layers: int, hidden_dim: int) -> None:
        super().__init__()
        self.shape = (layers, hidden_dim)
        self.parts = parts

    @abstractmethod
    def forward(self, encoded: Encoded) -> State:
        """The first state, ``[B, L, H]`` a part."""


class Learned(Bridge):
    """s_0 = tanh(W C + b), for each part of each layer: Bahdanau et al. 2015, A.2.2, fed with the whole summary C."""

    def __init__(self, source: SourceDims, parts: int, layers: int, hidden_dim: int) -> None:
        super().__init__(source, parts, layers, hidden_dim)
        self.project = nn.Linear(source.summary, parts * layers * hidden_dim)

    def forward(self, encoded: Encoded) -> State:
        first: Tensor = torch.tanh(self.project(encoded.summary))
        return tuple(part.unflatten(1, self.shape) for part in first.chunk(self.parts, dim=1))


class Last(Bridge):
    """The encoder's last states as they are (Sutskever et al. 2014; Luong et al. 2015).

    Raises:
        ConfigError: the two sides differ in cell, layers or size.
    """

    def __init__(self, source: SourceDims, parts: int, layers: int, hidden_dim: int) -> None:
        super().__init__(source, parts, layers, hidden_dim)
        offered, needed = (source.parts, source.layers, source.final), (parts, layers, hidden_dim)
        if offered != needed:
            raise ConfigError(
                "bridge=last copies the encoder's last state, so both sides must match in (states a cell, layers, "
                f"size, directions joined): the encoder offers {offered}, the decoder needs {needed}. Make encoder "
                "and decoder alike (cell, layers, hidden_dim; a bidirectional encoder doubles the size), "
                "or take bridge=learned"
            )

    def forward(self, encoded: Encoded) -> State:
        return encoded.final


class Zeros(Bridge):
    """The decoder starts from zeros; all it learns of the source comes through attention."""

    def forward(self, encoded: Encoded) -> State:
        first = encoded.summary.new_zeros(encoded.summary.size(0), *self.shape)
        return (first,) * self.parts


class NoBridge(Bridge):
    """Of a decoder without a recurrent state; it makes nothing.

    Raises:
        ConfigError: the decoder has a state to start.
    """

    def __init__(self, source: SourceDims, parts: int, layers: int, hidden_dim: int) -> None:
        super().__init__(source, parts, layers, hidden_dim)
        if parts:
            raise ConfigError(
                "bridge=none makes no first state, and this decoder is recurrent: take bridge=learned, last or zeros"
            )

    def forward(self, encoded: Encoded) -> State:
        return ()
