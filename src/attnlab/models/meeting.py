"""Trainings in one process that meet at every pass, so that the passes of all are made as one."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.decoders.base import Decoded
from attnlab.models.graphs import CudaRecorder, Graphs, Passes
from attnlab.models.seq2seq import Seq2Seq
from attnlab.models.stacked import Found, Given, Stacked, own_generator, padded
from attnlab.types import Batch


class Stack:
    """Where trainings in step meet: their passes, forward and backward, are made as one.

    Args:
        wait: lets the others go on, and comes back.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self.wait = wait
        self.seats: list[Seat] = []
        self.call: Callable[..., Found] | None = None  #: of the networks of those who take part

    def join(self, network: Seq2Seq, graphs: bool = True) -> "Seat":
        """Take part from now on; ``graphs``: replay passes as CUDA graphs, on a GPU."""
        seat = Seat(self, network, graphs)
        self.seats.append(seat)
        self.call = None
        return seat

    def leave(self, seat: "Seat") -> None:
        """Take part no more: nobody waits."""
        if seat in self.seats:
            self.seats.remove(seat)
            self.call = None

    def meet(self, seat: "Seat") -> None:
        """Come back when all who take part have come, and what this one came for is done."""
        while seat.given is not None or seat.loss is not None:
            if all(each.given is not None or each.loss is not None for each in self.seats):
                # Who has just joined waits until those who were forward together are back.
                back = [each for each in self.seats if each.loss is not None]
                self._backward(back) if back else self._forward()
            else:
                self.wait()

    def _forward(self) -> None:
        given = [cast(Given, each.given) for each in self.seats]
        found = self._network()(*padded(given))
        for number, (seat, (source, _, inputs)) in enumerate(zip(self.seats, given, strict=True)):
            rows, steps = inputs.shape
            weights = None if found.weights is None else found.weights[number, :rows, :steps, : source.size(1)]
            seat.found = Decoded(found.features[number, :rows, :steps], weights, None)
            seat.given = None

    def _backward(self, seats: "Sequence[Seat]") -> None:
        torch.autograd.backward([cast(Tensor, each.loss) for each in seats])
        for each in seats:
            each.loss = None

    def _network(self) -> Callable[..., Found]:
        if self.call is None:
            generators = [seat.generator for seat in self.seats]
            network = Stacked([seat.network for seat in self.seats], generators)
            gives = ("features", "weights")
            on_gpu = generators[0].device.type == "cuda" and self.seats[0].graphs
            passes = Passes(network, lambda *given: given, gives, gives)
            self.call = Graphs(passes, CudaRecorder(generators)) if on_gpu else network
        return self.call


class Seat:
    """Of one training; called as its network is."""

    def __init__(self, stack: Stack, network: Seq2Seq, graphs: bool) -> None:
        self.stack, self.network, self.graphs = stack, network, graphs
        self.generator = torch.Generator(next(network.parameters()).device)
        self.given: Given | None = None
        self.loss: Tensor | None = None
        self.found: Decoded | None = None

    def __call__(self, batch: Batch, inputs: Int[Tensor, "B T"] | None = None) -> Decoded:
        """The pass of this network; numbers for dropout are drawn as from torch's own generator."""
        own = own_generator(self.generator.device)
        self.generator.set_state(own.get_state())
        self.given = Given(batch.source, batch.source_mask, batch.target[:, :-1] if inputs is None else inputs)
        self.stack.meet(self)
        own.set_state(self.generator.get_state())
        found, self.found = self.found, None
        return cast(Decoded, found)

    def backward(self, loss: Float[Tensor, ""]) -> None:
        """Give every network its gradients."""
        self.loss = loss
        self.stack.meet(self)
