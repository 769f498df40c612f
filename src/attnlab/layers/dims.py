"""Sizes that one part of a model tells the next."""

from typing import NamedTuple


class SourceDims(NamedTuple):
    """What an encoder offers."""

    states: int  #: size of an annotation
    summary: int  #: size of the fixed context C
    final: int  #: size of the last state of a layer, directions joined
    layers: int  #: layers in ``final``
    parts: int  #: 2 for an LSTM (hidden, cell), else 1
