"""Weights of one model into another."""

from collections.abc import Iterable

import torch
from torch import Tensor


@torch.no_grad()
def copy(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Every second tensor into the first, which has its shape."""
    for theirs, value in pairs:
        assert theirs.shape == value.shape, (theirs.shape, value.shape)
        theirs.copy_(value)
