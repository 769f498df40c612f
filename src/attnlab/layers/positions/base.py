"""The contract of a position: what tells attention where a word stands.

Absolute kinds act on the embedded words (``embed``); relative ones in self-attention, on queries and keys (``rotate``),
on the scores (``bias``) or on what is found (``values``). A kind overrides what it needs.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnlab.types import ConfigError


class Position(nn.Module):
    """What every kind is built with.

    Args:
        model_dim: size of an embedded word.
        heads: of self-attention; they share out ``model_dim``.
        causal: whether words see only what stands before them (a decoder).
    """

    relative = False  #: whether it acts in self-attention; else it acts on the embedded words
    each_layer = False  #: whether every layer has parameters of its own
    needs_product = False  #: whether it is defined for scores by products only
    weighs_values = False  #: whether it adds to what is found, which takes the weights
    longest: int | None = None  #: how many positions it knows; None is any number

    def __init__(self, model_dim: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.model_dim, self.heads, self.causal = model_dim, heads, causal
        self.head_dim = model_dim // heads

    def embed(self, words: Float[Tensor, "N T E"], start: int) -> Float[Tensor, "N T E"]:
        """Embedded words at positions start, start + 1, …"""
        return words

    def rotate(self, heads: Float[Tensor, "N H T D"], start: int) -> Float[Tensor, "N H T D"]:
        """Queries or keys at positions start, start + 1, …"""
        return heads

    def bias(self, query: Float[Tensor, "N H T D"], source: int, scale: float) -> Float[Tensor, "#N #H T S"] | None:
        """What is added to the scores of the last T of ``source`` positions over all of them; None is nothing.

        ``scale`` is what the score multiplies its product by.
        """
        return None

    def values(self, weights: Float[Tensor, "N H T S"]) -> Float[Tensor, "N H T D"]:
        """What is added to the context of every head, where the kind ``weighs_values``."""
        raise NotImplementedError(f"{type(self).__name__} adds nothing to what is found")


def offsets(target: int, source: int, device: torch.device | None = None) -> Int[Tensor, "T S"]:
    """j - i for the last ``target`` of ``source`` positions i and all positions j."""
    j = torch.arange(source, device=device)
    return j - j[source - target :, None]


def longest(part: nn.Module) -> int | None:
    """How many words the positions within a part of a model can tell apart; None where there is no end to them."""
    known = [module.longest for module in part.modules() if isinstance(module, Position)]
    return min((count for count in known if count is not None), default=None)


def require_absolute(name: str, position: Position) -> None:
    """Raise ConfigError where a part without self-attention is given a position that acts there."""
    if position.relative:
        raise ConfigError(
            f"encoder={name} has no self-attention for a relative position ({type(position).__name__}) to act in. "
            "Take position=learned, sinusoidal, concatenated or none"
        )
