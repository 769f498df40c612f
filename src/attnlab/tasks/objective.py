"""The objective of an update: a mean over units, whatever batches and processes they come in.

What is minimised is sum_b L_b / sum_b n_b over all batches b of an update, L_b summed over the batch's n_b units
(target tokens, sentences, frames). Lightning divides what a batch hands it by the number of batches accumulated, and
averages gradients over processes: with L_b / n_b that would be a mean of means, in which a unit of a small batch weighs
more. So every batch is divided by one number that all processes know, and the gradients of an update that had
several batches are put right once, before they are clipped.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from attnlab.data.batching import process_share
from attnlab.private.torch import foreach_mul_

Told = dict[str, Float[Tensor, ""]]


class Summed(NamedTuple):
    """An objective summed over the units of a batch."""

    objective: Float[Tensor, ""]  #: what is minimised
    units: int  #: how many; 0 for a batch that is to have no weight
    told: Mapping[str, Float[Tensor, ""]] = MappingProxyType({})  #: further sums over them, to be told as means


class UnitMean:
    """Makes the gradient of an update that of the mean over all its units.

    ``add`` each batch and run backward on what it returns; ``close`` when all gradients are there. One process that
    does not accumulate has nothing to put right: its one batch is divided by its own units. Several processes exchange
    a few numbers an update and none waits for its device.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._units = 0
        self._told: Told = {}
        self._scale: float | Tensor | None = None
        self._everywhere: tuple[float | Tensor, Told] | None = None

    def add(self, batch: Summed, accumulated: int) -> Float[Tensor, ""]:
        """The part of a batch in the objective of an update.

        Args:
            batch: its sums; the same names are told of every batch.
            accumulated: batches of an update in a process, as the trainer has it: what it divides by.
        """
        self._units += batch.units
        new = {name: value.detach() for name, value in batch.told.items()}
        self._told = {name: self._told[name] + value for name, value in new.items()} if self._told else new
        if self._scale is None:
            units: float | Tensor
            if accumulated == 1:
                self._everywhere = units, _ = self._sum_up(batch.objective.device)
            else:
                units, _ = over_processes(batch.units, {}, batch.objective.device)
            self._scale = units / processes()
        scale = self._scale
        return batch.objective / (scale.to(batch.objective.dtype) if isinstance(scale, Tensor) else scale)

    def close(self, gradients: Iterable[Tensor], accumulated: int) -> Told:
        """Put the gradients of the update right, and begin another one.

        Args:
            gradients: averaged over processes; those of parts that ``accumulated`` divided.
            accumulated: as for ``add``.

        Returns:
            The means over all units of what the batches told.
        """
        found = list(gradients)
        if self._scale is None or not found:
            return {}
        units, told = self._everywhere or self._sum_up(found[0].device)
        if accumulated > 1:
            factor = accumulated * processes() * self._scale / units
            foreach_mul_(found, factor.to(found[0].dtype) if isinstance(factor, Tensor) else factor)
        self._forget()
        return {name: value / units for name, value in told.items()}

    def _sum_up(self, device: torch.device) -> tuple[float | Tensor, Told]:
        return over_processes(self._units, self._told, device)


def over_processes(units: int, told: Told, device: torch.device) -> tuple[float | Tensor, Told]:
    """Units and sums of all processes; on the device where there are several, so that no process waits for it."""
    if processes() == 1:
        return units, told
    sums = torch.stack(
        [torch.full((), units, dtype=torch.float64, device=device), *(v.double() for v in told.values())]
    )
    torch.distributed.all_reduce(sums)
    return sums[0], dict(zip(told, sums[1:].float(), strict=True))


def processes() -> int:
    return process_share()[1]
