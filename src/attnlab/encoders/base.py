"""The contract of an encoder."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.layers.dims import SourceDims
from attnlab.types import Encoded


class Encoder(nn.Module, ABC):
    """Turns embedded source words into annotations. Padding must not be able to matter."""

    dims: SourceDims
    own_dropout = False  #: whether it drops out embedded words itself, where its paper has it

    @abstractmethod
    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]) -> Encoded: ...

    @torch.no_grad()
    def self_weights(
        self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B L H S S"] | None:
        """What every head of every layer looks at in its own sentence, for figures; None where there is nothing."""
        return None


def last_positions(mask: Bool[Tensor, "B S"]) -> Int[Tensor, " B"]:
    """Index of the last real token of each sentence."""
    return mask.sum(1) - 1


def reversal(mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
    """Positions that turn each sentence round within its own length; padding stays where it is. Its own inverse."""
    positions = torch.arange(mask.size(1), device=mask.device)
    return torch.where(mask, last_positions(mask).unsqueeze(1) - positions, positions)


def permute(states: Float[Tensor, "B S D"], positions: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
    return states.gather(1, positions.unsqueeze(-1).expand_as(states))
