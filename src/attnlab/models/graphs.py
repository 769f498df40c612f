"""Training passes of a network as CUDA graphs: a pair of graphs a shape of batch, forward and backward.

Of any network that gives a named tuple: ``Passes`` says what it reads and which of it is learnt from. One that steps,
as a decoder, launches a thousand small kernels a batch; where the processor takes longer to launch one than the GPU to
run it, the GPU waits. A graph is launched whole. The first batch of a shape runs as ever, the second is captured, the
others replay; so batches padded to few shapes (``data.pad_to_multiple``) gain most.

All graphs share one pool of memory, so what a forward pass keeps for its backward pass is gone after another forward
pass. A pass that comes before the last one's backward pass therefore runs as ever, and so does everything once a
capture has failed: a mechanism may ask the GPU for a number in the middle of its work, which no graph can do.
"""

import logging
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.types import tree_map

log = logging.getLogger(__name__)

Work = Callable[[], None]
Given = tuple[Any, ...]  #: what a pass is called with: (named) tuples of tensors


class Passes(NamedTuple):
    """What is captured: the passes of a network, which gives a named tuple."""

    network: nn.Module
    reads: Callable[..., tuple[Tensor, ...]]  #: of what it is called with those tensors that a pass depends on
    gives: tuple[str, ...]  #: fields that come out; the others come as None
    learnt: tuple[str, ...]  #: of these, the ones that a loss is put on; the others come without gradient


@runtime_checkable
class Recorder(Protocol):
    """Captures work on tensors that stay where they are; what it hands back does the same work again."""

    def __call__(self, work: Work) -> Work: ...

    def warm(self, work: Work) -> None:
        """Run it once where it will be captured, and leave no trace."""


class CudaRecorder:
    """As CUDA graphs, in one pool of memory; ``generators`` are those that work draws from besides torch's own."""

    def __init__(self, generators: Sequence[torch.Generator] = ()) -> None:
        self.generators = generators
        self.pool = torch.cuda.graph_pool_handle()
        self.stream = torch.cuda.Stream()

    def __call__(self, work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        for generator in self.generators:
            graph.register_generator_state(generator)
        # Other threads may go on with what a capture may not do: a loader's pins memory.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
            work()
        return graph.replay

    def warm(self, work: Work) -> None:
        # On the capture's stream: its libraries take their memory now, not in the capture.
        state, states = torch.cuda.get_rng_state(), [generator.get_state() for generator in self.generators]
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            work()
        torch.cuda.current_stream().wait_stream(self.stream)
        torch.cuda.set_rng_state(state)
        for generator, before in zip(self.generators, states, strict=True):
            generator.set_state(before)


class Pair:
    """The two passes of one shape, on tensors of their own."""

    def __init__(self, passes: Passes, given: Given, shared: dict[int, Tensor]) -> None:
        self.passes, self.shared = passes, shared
        self.parameters = [parameter for parameter in passes.network.parameters() if parameter.requires_grad]
        self.doubles: dict[int, nn.Parameter] = {}
        self.given = tree_map(torch.clone, given)
        self.outputs: list[Tensor] = []
        self.live: list[Tensor] = []
        self.differentiable: list[bool] = []
        self.grads: list[Tensor] = []

    @contextmanager
    def doubled(self) -> Iterator[None]:
        """Within, every parameter is another one in the same memory.

        Where autograd still knows a parameter from a pass outside, it adds up its gradient on that pass's stream,
        which no capture on another stream can wait for.
        """
        known = {id(parameter): parameter for parameter in self.parameters}
        places = [
            (module, name, parameter)
            for module in self.passes.network.modules()
            for name, parameter in module.named_parameters(recurse=False)
            if id(parameter) in known
        ]
        self.doubles = {key: nn.Parameter(parameter.detach()) for key, parameter in known.items()}
        try:
            for module, name, parameter in places:
                setattr(module, name, self.doubles[id(parameter)])
            yield
        finally:
            for module, name, parameter in places:
                setattr(module, name, parameter)

    def forward(self) -> None:
        """The network, into ``outputs``; what autograd keeps of it stays with ``live``."""
        with self.doubled():
            result = self.passes.network(*self.given)
        if any(self.doubles[id(parameter)].data_ptr() != parameter.data_ptr() for parameter in self.parameters):
            raise RuntimeError("one of its modules moves its parameters")
        result = result._replace(**dict.fromkeys(set(result._fields) - set(self.passes.gives)))
        found = tensors(result)
        if not self.outputs:
            self.outputs = [torch.empty_like(tensor) for _, tensor in found]
            self.differentiable = [tensor.requires_grad and name in self.passes.learnt for name, tensor in found]
            self.layout = tree_map(lambda leaf: leaf.new_empty(0), result)
        for kept, (_, tensor) in zip(self.outputs, found, strict=True):
            kept.copy_(tensor.detach())
        self.live = [tensor for (_, tensor), wanted in zip(found, self.differentiable, strict=True) if wanted]

    def backward(self) -> None:
        """The gradients of the parameters, into ``shared``, from those of the differentiable outputs, ``grads``."""
        self.grads = self.grads or [torch.zeros_like(tensor) for tensor in self.live]
        doubles = [self.doubles[id(parameter)] for parameter in self.parameters]
        found = torch.autograd.grad(self.live, doubles, self.grads, allow_unused=True)
        self.live = []
        self.used = [gradient is not None for gradient in found]
        for parameter, gradient in zip(self.parameters, found, strict=True):
            if gradient is not None:
                if id(parameter) not in self.shared:
                    self.shared[id(parameter)] = torch.empty_like(parameter)
                self.shared[id(parameter)].copy_(gradient)

    def load(self, given: Given) -> None:
        """Take a batch of the same shape."""
        for kept, new in zip(self.passes.reads(*self.given), self.passes.reads(*given), strict=True):
            kept.copy_(new, non_blocking=True)

    def result(self, values: Sequence[Tensor]) -> Any:
        """The values in the place of the outputs."""
        found = iter(values)
        return tree_map(lambda _: next(found), self.layout)

    def own_gradients(self) -> None:
        """Parameters whose gradient is still the one that lies in ``shared`` get it for themselves."""
        places = {gradient.data_ptr() for gradient in self.shared.values()}
        for parameter in self.parameters:
            if parameter.grad is not None and parameter.grad.data_ptr() in places:
                parameter.grad = parameter.grad.clone()


class Replay(Function):
    """A ``Pair`` for autograd; the parameters are there for the sake of their gradients."""

    @staticmethod
    def forward(ctx: Any, graphs: "Graphs", pair: Pair, replays: tuple[Work, Work], *parameters: Tensor) -> Any:
        ctx.graphs, ctx.pair, ctx.back = graphs, pair, replays[1]
        graphs.pending = weakref.ref(ctx)
        replays[0]()
        outputs = tuple(output.clone() for output in pair.outputs)
        ctx.mark_non_differentiable(*(o for o, wanted in zip(outputs, pair.differentiable, strict=True) if not wanted))
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        pair: Pair = ctx.pair
        pending = ctx.graphs.pending
        if pending is None or pending() is not ctx:
            raise RuntimeError(
                "a CUDA graph ran backward already, or another one ran forward since; "
                "set task.cuda_graphs=false to keep what a second backward pass needs"
            )
        ctx.graphs.pending = None
        given = [gradient for gradient, wanted in zip(grads, pair.differentiable, strict=True) if wanted]
        for kept, gradient in zip(pair.grads, given, strict=True):
            kept.zero_() if gradient is None else kept.copy_(gradient)
        pair.own_gradients()
        ctx.back()
        used = zip(pair.parameters, pair.used, strict=True)
        found = (pair.shared[id(parameter)].detach() if touched else None for parameter, touched in used)
        return None, None, None, *found


class Shape(NamedTuple):
    """What two passes must have in common to be replayed by one pair of graphs."""

    sizes: tuple[tuple[int, ...], ...]  #: of the tensors that are read
    device: str
    low: torch.dtype | None  #: of autocast
    places: tuple[tuple[int, bool], ...]  #: where each parameter lies, and whether it is trained


class Graphs:
    """Calls the network as ``network(*given)`` does, by graphs where that works.

    Args:
        passes: of which network, and what it reads and gives.
        recorder: what captures; CUDA's own unless given.
        most: shapes at most; the one not used for longest gives way.
    """

    def __init__(self, passes: Passes, recorder: Recorder | None = None, most: int = 128) -> None:
        self.passes, self.recorder, self.most = passes, recorder, most
        self.failed = False
        self.pending: weakref.ref[Any] | None = None  #: the pass whose backward pass is still to come
        self._seen: Counter[Shape] = Counter()
        self._pairs: OrderedDict[Shape, tuple[Pair, tuple[Work, Work]]] = OrderedDict()
        self._shared: dict[int, Tensor] = {}

    def __call__(self, *given: Any) -> Any:
        read = self.passes.reads(*given)
        if self.failed or not self._possible(read):
            return self.passes.network(*given)
        shape = self._shape(read)
        if shape not in self._pairs:
            self._seen[shape] += 1
            if self._seen[shape] == 1 or not self._captured(shape, given):
                return self.passes.network(*given)
        self._pairs.move_to_end(shape)
        pair, replays = self._pairs[shape]
        pair.load(given)
        outputs: tuple[Tensor, ...] = Replay.apply(self, pair, replays, *pair.parameters)  # type: ignore[no-untyped-call]
        return pair.result(outputs)

    def _possible(self, read: Sequence[Tensor]) -> bool:
        here = read[0].is_cuda or self.recorder is not None
        waiting = self.pending is not None and self.pending() is not None
        return here and torch.is_grad_enabled() and self.passes.network.training and not waiting

    def _shape(self, read: Sequence[Tensor]) -> Shape:
        device = read[0].device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        network = self.passes.network
        places = tuple((parameter.data_ptr(), parameter.requires_grad) for parameter in network.parameters())
        return Shape(tuple(tuple(tensor.shape) for tensor in read), device, low, places)

    def _captured(self, shape: Shape, given: Given) -> bool:
        self.recorder = self.recorder or CudaRecorder()
        pair = Pair(self.passes, given, self._shared)
        pair.own_gradients()  # of passes before, that this step's will be added to

        def both() -> None:
            pair.forward()
            pair.backward()

        try:
            # A weight cast by another pass lies in memory that is not this one's.
            with torch.autocast(shape.device, dtype=shape.low, enabled=shape.low is not None, cache_enabled=False):
                self.recorder.warm(both)
                replays = self.recorder(pair.forward), self.recorder(pair.backward)
        except RuntimeError as error:
            self.failed = True
            self._pairs.clear()
            reason = str(error).strip().splitlines()[0]
            log.warning("no CUDA graphs: this network cannot be captured (%s); it runs without", reason)
            return False
        self._pairs[shape] = pair, replays
        if len(self._pairs) > self.most:
            self._pairs.popitem(last=False)
        return True


def tensors(result: Any) -> list[tuple[str, Tensor]]:
    """What comes out of a pass, with the names of the fields."""
    return [(name, leaf) for name, value in zip(result._fields, result, strict=True) for leaf in leaves(value)]


def leaves(tree: Any) -> Iterator[Tensor]:
    """The tensors of a tree, in the order in which ``tree_map`` comes by."""
    found: list[Tensor] = []
    tree_map(lambda leaf: found.append(leaf) or leaf, tree)  # type: ignore[func-returns-value]
    yield from found
