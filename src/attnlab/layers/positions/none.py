"""No positions: self-attention sees a bag of words (a decoder still sees how many came before)."""

from attnlab.layers.positions.base import Position


class NoPosition(Position):
    """Nothing is told."""
