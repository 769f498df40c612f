"""How much work a model is: floating-point operations counted from the shapes of its matrix products.

Only products count (two operations a multiply-add), as is usual where work is held against the peak of matrix
products; a backward pass is twice the forward one. Real tokens only: padding is not work that anyone asked for, nor
is what a kernel computes a second time. The counting is torch's; a run on one short sentence pair is enough, since

    FLOPs(S, T) = c_0 + c_1 S + c_2 T + c_3 S T + c_4 S^2 + c_5 T^2

holds for S source and T target tokens: six short pairs give the six coefficients exactly.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.private.torch import cudnn_rnn, linear_pointwise
from attnlab.types import Batch

Moments = Float[Tensor, "6"]
NOTHING = torch.zeros(6, dtype=torch.float64)
PAIRS = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3))
BACKWARD = 2  #: times the forward pass: each product has a gradient for either factor


@runtime_checkable
class Counted(Protocol):
    """A network with a loss: what is counted."""

    def __call__(self, batch: Batch) -> Any: ...
    def loss(self, batch: Batch, decoded: Any) -> Any: ...
    def eval(self) -> Any: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...


class Work(NamedTuple):
    """FLOPs of a training step (forward and backward) as a polynomial in the lengths of a sentence pair."""

    coefficients: Float[Tensor, "6"]  #: of 1, S, T, S T, S^2, T^2

    def of(self, moments: Float[Tensor, "6"]) -> float:
        """FLOPs of the pairs whose ``moments`` were summed."""
        return float(self.coefficients @ moments.to(self.coefficients))


def moments(batch: Batch) -> Float[Tensor, "6"]:
    """Sums over the pairs of a batch of 1, S, T, S T, S^2 and T^2; stays on the device."""
    source, target = batch.source_mask.sum(1).double(), batch.target_mask.sum(1).double()
    return _powers(source, target).sum(1)


def _powers(source: Float[Tensor, " B"], target: Float[Tensor, " B"]) -> Float[Tensor, "6 B"]:
    return torch.stack([torch.ones_like(source), source, target, source * target, source**2, target**2])


def count(model: Counted) -> Work:
    """Count a model whose loss is ``model.loss(batch, model(batch))``."""
    device = next(model.parameters()).device
    forward = torch.tensor([_forward(model, *pair, device) for pair in PAIRS], dtype=torch.float64)
    lengths = torch.tensor(PAIRS, dtype=torch.float64)
    powers = _powers(lengths[:, 0], lengths[:, 1]).T
    return Work((1 + BACKWARD) * torch.linalg.solve(powers, forward).round())


def _forward(model: Counted, source: int, target: int, device: torch.device) -> int:
    """FLOPs of the loss of one sentence pair; nothing of a training is touched: no gradient, mode or random state."""
    from torch.utils.flop_counter import FlopCounterMode  # takes a fifth of a second, which a start has not got

    modes = [(module, module.training) for module in model.modules()]
    counter = FlopCounterMode(display=False, custom_mapping=_fused())
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad(), counter:
        model.eval()
        batch = _pair(source, target, device)
        model.loss(batch, model(batch))
    for module, training in modes:
        module.training = training
    return int(counter.get_total_flops())


def _pair(source: int, target: int, device: torch.device) -> Batch:
    ones = torch.ones(1, max(source, target + 1), dtype=torch.long, device=device)
    return Batch(
        source=ones[:, :source],
        source_mask=ones[:, :source].bool(),
        target=ones[:, : target + 1],
        target_mask=ones[:, :target].bool(),
        tokens=torch.arange(target, device=device),
        index=ones[0, :1] - 1,
    )


def _onednn_layer(inputs: Any, w_ih: Any, w_hh: Any, *rest: Any, **options: Any) -> int:
    steps, rows = inputs[0], inputs[1]
    return int(2 * steps * rows * (w_ih[0] * w_ih[1] + w_hh[0] * w_hh[1]))


def _cudnn_layers(inputs: Any, weights: Any, *rest: Any, **options: Any) -> int:
    matrices = sum(shape[0] * shape[1] for shape in weights if len(shape) == 2)
    return int(2 * inputs[0] * inputs[1] * matrices)


def _packed_product(x: Any, second: Any, third: Any = None, *rest: Any, **options: Any) -> int:
    """``(x, weight, bias, …)``, or with an addend ``(x, addend, weight, …)``."""
    weight = third if third is not None and len(third) == 2 else second
    return int(2 * math.prod(x[:-1]) * weight[0] * weight[1])


def _fused() -> dict[Any, Any]:
    """What torch's counter does not know: recurrent layers in one fused call, products with a packed weight."""
    known = {torch.ops.aten.mkldnn_rnn_layer: _onednn_layer, cudnn_rnn: _cudnn_layers}
    if linear_pointwise is not None:
        known[linear_pointwise] = _packed_product
    return known
