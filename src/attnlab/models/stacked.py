r"""K networks of one form as one: their weights stacked, so that a product of each is one batched product of all.

    W = [W_1; …; W_K],   y = vmap(f)(W, x) = [f(W_1, x_1); …; f(W_K, x_K)]

``torch.func.vmap`` over the networks; autograd sees the stacked operations and gives each network's own parameters
their gradients. Batches are padded to common shapes: sides of a sentence as ever, and rows by copies of the first,
which nobody looks at. Recurrent layers keep torch's fused kernels, one call a network; dropout draws from a generator
of each network's own. What else is random, or has a backward pass written by hand, vmap refuses.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd import Function
from torch.func import functional_call, vmap
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from attnlab.decoders.base import Decoded
from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import PAD, Batch, ConfigError

FUSED = (torch.lstm, torch.gru, torch.rnn_tanh)


class Given(NamedTuple):
    """What a network reads of a batch."""

    source: Int[Tensor, "B S"]
    mask: Bool[Tensor, "B S"]
    inputs: Int[Tensor, "B T"]


class Found(NamedTuple):
    """What all networks say of theirs."""

    features: Float[Tensor, "K B T R"]
    weights: Float[Tensor, "K B T S"] | None


class Stacked(nn.Module):
    """Encoder-decoders of one form.

    Args:
        networks: that differ in their weights alone.
        generators: of each, for its dropout.
    """

    def __init__(self, networks: Sequence[Seq2Seq], generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.networks, self.generators = nn.ModuleList(networks), list(generators)

    def forward(self, source: Int[Tensor, "K B S"], mask: Bool[Tensor, "K B S"], inputs: Int[Tensor, "K B T"]) -> Found:
        """Decode with given previous words.

        Raises:
            ConfigError: something of the networks cannot be stacked.
        """
        first = self.networks[0]
        assert isinstance(first, Seq2Seq)
        names = [name for name, _ in first.named_parameters()]
        held = [name for name, _ in first.named_buffers()]
        weights = {name: torch.stack([each.get_parameter(name) for each in self.networks]) for name in names}
        buffers = {name: torch.stack([each.get_buffer(name) for each in self.networks]) for name in held}

        mode = OfEach(self.generators)

        def one(weights: Any, buffers: Any, *given: Tensor) -> tuple[Tensor, ...]:
            mode.batched = given[0]
            decoded: Decoded = functional_call(first, (weights, buffers), (batch_of(*given), given[2]))
            if decoded.sample is not None:
                raise ConfigError("weights that are drawn at random are not stacked")
            return decoded.features, *(() if decoded.weights is None else (decoded.weights,))

        try:
            with mode:
                features, *drawn = vmap(one, randomness="error")(weights, buffers, source, mask, inputs)
        except RuntimeError as error:
            text = str(error)
            by_hand = "setup_context" in text or "vmap staticmethod" in text
            reason = "a backward pass written by hand has no batched form" if by_hand else text.strip().splitlines()[0]
            raise ConfigError(
                f"hydra.launcher.stacked=true: the encoder {type(first.encoder).__name__} and the decoder "
                f"{type(first.decoder).__name__} with this attention cannot be stacked ({reason}). Transformers can, "
                "and decoder=luong with scores by products; leave stacked out, and any model is trained by turns"
            ) from error
        return Found(features, drawn[0] if drawn else None)


def batch_of(source: Tensor, mask: Tensor, inputs: Tensor) -> Batch:
    """A batch that has what the network reads, and nothing else."""
    return Batch(source, mask, inputs, mask, inputs, inputs)


def padded(given: Sequence[Given]) -> Given:
    """Batches of several networks side by side, ``[K, B, ·]``."""
    rows = max(len(each.source) for each in given)
    source, target = (max(each[side].size(1) for each in given) for side in (0, 2))

    def fitted(part: Tensor, width: int, value: int | bool) -> Tensor:
        part = F.pad(part, (0, width - part.size(1)), value=value)
        return torch.cat([part, part[:1].expand(rows - len(part), -1)])

    parts = [
        Given(fitted(each.source, source, PAD), fitted(each.mask, source, False), fitted(each.inputs, target, PAD))
        for each in given
    ]
    return Given(*(torch.stack(part) for part in zip(*parts, strict=True)))


class OfEach(TorchFunctionMode):
    """Within vmap, what torch has no batched form of is done once for each network."""

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.generators = generators
        self.batched: Tensor | None = None  #: a tensor of each network's own

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.dropout:
            return self._dropped(*args, **(kwargs or {}))
        if func in FUSED and not kwargs:
            return self._recurrent(func, *args)
        if func is F.scaled_dot_product_attention:
            return self._attended(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _dropped(self, states: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or not p:
            return states

        def drop(states: Tensor, generator: torch.Generator) -> Tensor:
            kept = torch.empty_like(states, memory_format=torch.contiguous_format)
            return states * kept.bernoulli_(1 - p, generator=generator).div_(1 - p)

        # A mask of ones may be the same tensor for all networks; what is drawn is not.
        own = cast(Tensor, self.batched)
        (found,) = apart(lambda number, states, _: (drop(states, self.generators[number]),), states, own)
        return found

    def _recurrent(self, func: Any, inputs: Tensor, first: Any, weights: Sequence[Tensor], *settings: Any) -> Any:
        """``torch.lstm`` and its like."""
        states = first if isinstance(first, tuple | list) else (first,)
        draws = bool(settings[2] and settings[3])  # dropout, in training

        def run(number: int, inputs: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:
            own = [part.contiguous() for part in parts[: len(states)]]
            with drawing_from(self.generators[number]) if draws else nullcontext():
                found: tuple[Tensor, ...] = func(
                    inputs.contiguous(), own if func is torch.lstm else own[0], list(parts[len(states) :]), *settings
                )
            return found

        return apart(run, inputs, *states, *weights)

    def _attended(
        self,
        query: Tensor,
        keys: Tensor,
        values: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        **more: Any,
    ) -> Tensor:
        given = query, keys, values, *(() if attn_mask is None else (attn_mask,))

        def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
            found: Tensor = F.scaled_dot_product_attention(query, keys, values, mask, dropout_p, **more)
            return found

        def run(number: int, *own: Tensor) -> tuple[Tensor, ...]:
            with drawing_from(self.generators[number]):
                return (attend(*own),)

        if dropout_p:
            return apart(run, *given)[0]
        found: Tensor = Folded.apply(attend, *given)  # type: ignore[no-untyped-call]
        return found


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Within, what torch draws on the generator's device comes from it; no CUDA graph can capture that."""
    own = own_generator(generator.device)
    before = own.get_state()
    own.set_state(generator.get_state())
    try:
        yield
    finally:
        generator.set_state(own.get_state())
        own.set_state(before)


def own_generator(device: torch.device) -> torch.Generator:
    """What torch itself draws from on a device: the current one of GPUs."""
    if device.type == "cuda":
        return torch.cuda.default_generators[torch.cuda.current_device()]
    return torch.default_generator


def apart(run: Callable[..., tuple[Tensor, ...]], *tensors: Tensor) -> tuple[Tensor, ...]:
    """What ``run(number, …)`` gives of each network's own tensors, side by side; within vmap."""
    found: tuple[Tensor, ...] = Apart.apply(run, *tensors)  # type: ignore[no-untyped-call]
    return found


class OfAll(Function):
    """A function by its rule for vmap alone, in which autograd sees what is done."""

    @staticmethod
    def forward(run: Any, *tensors: Tensor) -> Any:
        raise RuntimeError("nothing here belongs to one of the networks")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None: ...


class Apart(OfAll):
    """Of each network by itself."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], run: Any, *tensors: Tensor) -> tuple[Any, Any]:
        def own(number: int) -> list[Tensor]:
            places = zip(tensors, in_dims[1:], strict=True)
            return [part if dim is None else part.select(dim, number) for part, dim in places]

        found = [run(number, *own(number)) for number in range(info.batch_size)]
        return tuple(torch.stack(part) for part in zip(*found, strict=True)), (0,) * len(found[0])


class Folded(OfAll):
    """Of tensors ``[N, …]``: the networks' rows become more rows."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], run: Any, *tensors: Tensor) -> tuple[Any, Any]:
        count, sides = info.batch_size, []
        for part, dim in zip(tensors, in_dims[1:], strict=True):
            sides.append(part.expand(count, *part.shape) if dim is None else part.movedim(dim, 0))
        rows = max(side.size(1) for side in sides)
        whole = [side.expand(count, rows, *side.shape[2:]).flatten(0, 1) for side in sides]
        return run(*whole).unflatten(0, (count, rows)), 0
