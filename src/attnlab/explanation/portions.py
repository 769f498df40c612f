"""Many questions in portions that fit into memory."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attnlab.tasks.explaining import Instances

POSITIONS = 1 << 15  #: that are asked about together: 32 MiB of states of 256 numbers


def size(instances: Instances) -> int:
    """How many rows are asked together."""
    return max(1, POSITIONS // instances.width)


def portions(rows: Int[Tensor, " M"], instances: Instances) -> Iterator[Int[Tensor, " K"]]:
    """The rows in parts."""
    yield from rows.split(size(instances))


def each_without(
    instances: Instances, rows: Int[Tensor, " M"], left_out: Bool[Tensor, "M S"]
) -> tuple[Float[Tensor, " M"], Float[Tensor, " M"]]:
    """For each question how far the output moves, and what is told then."""
    return asked(instances, rows, left_out, lambda chosen, gone: chosen.without(gone))


def each_given(
    instances: Instances, rows: Int[Tensor, " M"], weights: Float[Tensor, "M L S"]
) -> tuple[Float[Tensor, " M"], Float[Tensor, " M"]]:
    """The same with given weights."""
    return asked(instances, rows, weights, lambda chosen, weighed: chosen.given(weighed))


@torch.no_grad()
def asked(
    instances: Instances, rows: Int[Tensor, " M"], given: Tensor, ask: Callable[[Instances, Tensor], Tensor]
) -> tuple[Float[Tensor, " M"], Float[Tensor, " M"]]:
    moved, told = [rows.new_zeros(0, dtype=torch.float32)], [rows.new_zeros(0, dtype=torch.float32)]
    for part, those in zip(portions(rows, instances), given.split(size(instances)), strict=True):
        chosen = instances.select(part)
        output = ask(chosen, those)
        moved.append(chosen.change(output))
        told.append(chosen.told(output))
    return torch.cat(moved), torch.cat(told)
