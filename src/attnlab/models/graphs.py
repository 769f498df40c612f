"""Training passes of a network as CUDA graphs: a pair of graphs a shape of batch, forward and backward.

A decoder that steps launches a thousand small kernels a batch; where the processor takes longer to launch one than the
GPU to run it, the GPU waits. A graph is launched whole. The first batch of a shape runs as ever, the second is
captured, the others replay; so batches padded to few shapes (``data.pad_to_multiple``) gain most.

All graphs share one pool of memory, so what a forward pass keeps for its backward pass is gone after another forward
pass. A pass that comes before the last one's backward pass therefore runs as ever, and so does everything once a
capture has failed: a mechanism may ask the GPU for a number in the middle of its work, which no graph can do.
"""

import logging
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from attnlab.decoders.base import Decoded
from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import Batch, Sample, tree_map

log = logging.getLogger(__name__)

Work = Callable[[], None]


@runtime_checkable
class Recorder(Protocol):
    """Captures work on tensors that stay where they are; what it hands back does the same work again."""

    def __call__(self, work: Work) -> Work: ...

    def warm(self, work: Work) -> None:
        """Run it once where it will be captured, and leave no trace."""


class CudaRecorder:
    """As CUDA graphs, in one pool of memory."""

    def __init__(self) -> None:
        self.pool = torch.cuda.graph_pool_handle()
        self.stream = torch.cuda.Stream()

    def __call__(self, work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on with what a capture may not do: a loader's pins memory.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"):
            work()
        return graph.replay

    def warm(self, work: Work) -> None:
        # On the capture's stream: its libraries take their memory now, not in the capture.
        state = torch.cuda.get_rng_state()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            work()
        torch.cuda.current_stream().wait_stream(self.stream)
        torch.cuda.set_rng_state(state)


class Pair:
    """The two passes of one shape, on tensors of their own."""

    def __init__(
        self, model: Seq2Seq, batch: Batch, inputs: Int[Tensor, "B T"], read: Sequence[str], shared: dict[int, Tensor]
    ) -> None:
        self.model, self.read, self.shared = model, read, shared
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.doubles: dict[int, nn.Parameter] = {}
        self.batch, self.inputs = tree_map(torch.clone, batch), inputs.clone()
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
            for module in self.model.modules()
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
            decoded = self.model(self.batch, self.inputs)
        if any(self.doubles[id(parameter)].data_ptr() != parameter.data_ptr() for parameter in self.parameters):
            raise RuntimeError("one of its modules moves its parameters")
        found = tensors(decoded)
        if not self.outputs:
            self.outputs = [torch.empty_like(tensor) for _, tensor in found]
            self.differentiable = [tensor.requires_grad and name in self.read for name, tensor in found]
            self.layout = tree_map(lambda leaf: leaf.new_empty(0), decoded._replace(state=None))
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

    def load(self, batch: Batch, inputs: Int[Tensor, "B T"]) -> None:
        """Take a batch of the same shape."""
        mine, given = read_by_the_network(self.batch, self.inputs), read_by_the_network(batch, inputs)
        for kept, new in zip(mine, given, strict=True):
            kept.copy_(new, non_blocking=True)

    def decoded(self, values: Sequence[Tensor]) -> Decoded:
        """The values in the place of the outputs."""
        given = iter(values)
        decoded: Decoded = tree_map(lambda _: next(given), self.layout)
        return decoded

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


class Graphs:
    """Calls the network as ``model(batch, inputs)`` does, by graphs where that works.

    Args:
        model: the network.
        read: fields of ``Decoded`` that a loss is put on; the others come without gradient. ``state`` comes as None.
        recorder: what captures; CUDA's own unless given.
        most: shapes at most; the one not used for longest gives way.
    """

    def __init__(
        self, model: Seq2Seq, read: Sequence[str] = ("features",), recorder: Recorder | None = None, most: int = 128
    ) -> None:
        self.model, self.read, self.recorder, self.most = model, tuple(read), recorder, most
        self.failed = False
        self.pending: weakref.ref[Any] | None = None  #: the pass whose backward pass is still to come
        self._seen: Counter[Any] = Counter()
        self._pairs: OrderedDict[Any, tuple[Pair, tuple[Work, Work]]] = OrderedDict()
        self._shared: dict[int, Tensor] = {}

    def __call__(self, batch: Batch, inputs: Int[Tensor, "B T"] | None = None) -> Decoded:
        inputs = batch.target[:, :-1] if inputs is None else inputs
        if self.failed or not self._possible(batch):
            return self._plain(batch, inputs)
        shape = self._shape(batch, inputs)
        if shape not in self._pairs:
            self._seen[shape] += 1
            if self._seen[shape] == 1 or not self._captured(shape, batch, inputs):
                return self._plain(batch, inputs)
        self._pairs.move_to_end(shape)
        pair, replays = self._pairs[shape]
        pair.load(batch, inputs)
        outputs: tuple[Tensor, ...] = Replay.apply(self, pair, replays, *pair.parameters)  # type: ignore[no-untyped-call]
        return pair.decoded(outputs)

    def _plain(self, batch: Batch, inputs: Int[Tensor, "B T"]) -> Decoded:
        decoded: Decoded = self.model(batch, inputs)
        return decoded

    def _possible(self, batch: Batch) -> bool:
        here = batch.source.is_cuda or self.recorder is not None
        waiting = self.pending is not None and self.pending() is not None
        return here and torch.is_grad_enabled() and self.model.training and not waiting

    def _shape(self, batch: Batch, inputs: Int[Tensor, "B T"]) -> Any:
        """What two passes must have in common; parameters that have moved are others."""
        device = batch.source.device.type
        low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        places = tuple((parameter.data_ptr(), parameter.requires_grad) for parameter in self.model.parameters())
        return tuple(batch.source.shape), tuple(inputs.shape), low, places

    def _captured(self, shape: Any, batch: Batch, inputs: Int[Tensor, "B T"]) -> bool:
        self.recorder = self.recorder or CudaRecorder()
        low, device = shape[2], batch.source.device.type
        pair = Pair(self.model, batch, inputs, self.read, self._shared)
        pair.own_gradients()  # of passes before, that this step's will be added to

        def both() -> None:
            pair.forward()
            pair.backward()

        try:
            # A weight cast by another pass lies in memory that is not this one's.
            with torch.autocast(device, dtype=low, enabled=low is not None, cache_enabled=False):
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


def tensors(decoded: Decoded) -> list[tuple[str, Tensor]]:
    """What comes out of a pass, with the names of the fields."""
    sample: Sample | None = decoded.sample
    named = [("features", decoded.features), ("weights", decoded.weights)]
    named += [] if sample is None else [("sample", part) for part in sample]
    return [(name, part) for name, part in named if part is not None]


def read_by_the_network(batch: Batch, inputs: Tensor) -> tuple[Tensor, ...]:
    """What a forward pass depends on."""
    return batch.source, batch.source_mask, inputs
