"""The k best of many, faster than by looking at each of them closely."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.kernels.native.choosing import best_of

BLOCK = 128
FEW = 2**16  #: numbers among which one is found sooner by looking at each of them
PLACES = torch.arange(BLOCK)


def best(
    scores: Float[Tensor, "N V"], k: int, before: Float[Tensor, "B K"] | None = None
) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """Values and places of the ``k`` best of each row, best first; of all where there are fewer.

    With ``before`` a row is the K hypotheses of a sentence one after another, and what each had before is added.

    On a CPU by ``kernels.native``, where it is to be had. By torch alone, see ``by_torch``.
    """
    found = best_of(scores, k, before)
    return by_torch(scores, k, before) if found is None else found


def by_torch(
    scores: Float[Tensor, "N V"], k: int, before: Float[Tensor, "B K"] | None = None
) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """The same by torch's operators.

    On a CPU torch's ``topk`` compares every element with the best so far. The k best lie in the k blocks with the
    highest maxima, and maxima of blocks are found many elements at a time.
    """
    rows, size = scores.shape
    each = 1 if before is None else before.size(1)
    blocks = -(-size // BLOCK)
    on_cpu = scores.device.type == "cpu"
    if k == 1 and before is None and on_cpu and scores.numel() <= FEW:
        return highest(scores, 1)
    if not on_cpu or blocks <= 2 * k:
        return one_by_one(scores, k, before)
    maxima = scores.new_empty(rows, blocks)
    whole = size // BLOCK
    torch.amax(scores[:, : whole * BLOCK].view(rows, whole, BLOCK), 2, out=maxima[:, :whole])
    if whole < blocks:
        torch.amax(scores[:, whole * BLOCK :], 1, out=maxima[:, whole])
    if before is not None:
        maxima = (before.unsqueeze(2) + maxima.view(*before.shape, blocks)).flatten(1)
    chosen = highest(maxima, k)[1].sort(1).values if k > 1 else highest(maxima, 1)[1]  # a tie falls on the first place
    row = None if before is None else chosen.div(blocks, rounding_mode="floor")
    first = (chosen if row is None else chosen.remainder(blocks)) * BLOCK
    # The last block begins within the one before it where it would be shorter than others.
    places = first.clamp(max=size - BLOCK).unsqueeze(2) + PLACES
    twice = places < first.unsqueeze(2) if whole < blocks and k > 1 else None
    places = places.flatten(1) if row is None else (places + (row * size).unsqueeze(2)).flatten(1)
    sums = scores.view(-1, each * size).gather(1, places)
    if before is not None and row is not None:
        sums = (sums.view(*row.shape, BLOCK) + before.gather(1, row).unsqueeze(2)).flatten(1)
    values, at = highest(sums if twice is None else sums.masked_fill(twice.flatten(1), float("-inf")), k)
    return values, places.gather(1, at)


def one_by_one(
    scores: Float[Tensor, "N V"], k: int, before: Float[Tensor, "B K"] | None
) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """The same, by all elements."""
    values, places = scores.topk(min(k, scores.size(1)))
    if before is None:
        return values, places
    rows = torch.arange(before.size(1), device=scores.device).unsqueeze(1) * scores.size(1)
    sums = before.unsqueeze(2) + values.view(*before.shape, -1)
    values, at = sums.flatten(1).topk(k)
    return values, (places.view(sums.shape) + rows).flatten(1).gather(1, at)


def highest(scores: Float[Tensor, "B C"], k: int) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
    """``topk``; of one, twice as fast."""
    values, places = scores.max(1, keepdim=True) if k == 1 else scores.topk(k)
    return values, places
