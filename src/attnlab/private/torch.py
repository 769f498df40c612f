"""torch's insides.

* ``torch._foreach_norm``, ``torch._foreach_mul_``: norms and scales of all gradients, each in one call of an operator,
  as torch's own optimizers and clipping take them.
* ``torch._C._functorch.is_batchedtensor``: whether ``torch.func.vmap`` is at work (:mod:`attnlab.models.stacked`).
* ``torch._assert_async``: a condition on a GPU that is looked at there; ``if`` would wait for all that is under way.
* oneDNN's ``_reorder_linear_weight`` and ``_linear_pointwise``: a weight laid out once for many products, which take
  three quarters of the time (:mod:`attnlab.kernels.products`); None where this torch is without. In bfloat16 only some
  processors can (``_is_mkldnn_bf16_supported``): others refuse it, as they do :func:`fused_lstm` in half precision.
* ``aten._cudnn_rnn``: what recurrent layers are on a GPU, so that their FLOPs are counted.
* ``TorchDispatchMode``: what is allocated while a model is built is counted, and stopped before it is too much.
* ``Optimizer._step_supports_amp_scaling``: Lightning reads it; see :func:`clip_before_the_step`.
* ``LRScheduler._last_lr``: what a schedule says of the rate until its next step.
* ``Module._forward_hooks``, ``_forward_pre_hooks``: whoever has hung one there wants to see the module at work.
* ``torch.nn.init``: see :func:`without_initialization`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from attnlab.private.versions import parts_of

with parts_of("torch", torch.__version__):
    from torch.utils._python_dispatch import TorchDispatchMode as TorchDispatchMode

    assert_async = torch._assert_async
    is_stacked = torch._C._functorch.is_batchedtensor
    foreach_norm = torch._foreach_norm
    foreach_mul_ = torch._foreach_mul_
    cudnn_rnn: Any = torch.ops.aten._cudnn_rnn

reorder_linear_weight: Any = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
linear_pointwise: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def reorders_bfloat16() -> bool:
    """Whether this processor has a layout for weights in bfloat16."""
    known = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return known is not None and bool(known())


def fused_lstm(inputs: Tensor, *settings: Any) -> tuple[Tensor, Tensor, Tensor]:
    """``torch.lstm``, which autocast on a CPU gives to oneDNN; float32 where that has none in what is asked for."""
    asked = torch.get_autocast_dtype("cpu")
    known = asked == torch.bfloat16 and reorders_bfloat16()
    if inputs.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or known:
        return torch.lstm(inputs, *settings)
    (hidden, cell), *rest = settings
    with torch.autocast("cpu", enabled=False):
        return torch.lstm(inputs.float(), (hidden.float(), cell.float()), *rest)


def is_hooked(module: nn.Module) -> bool:
    """Whether somebody looks at what goes through the module."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def clip_before_the_step(optimizer: Optimizer) -> None:
    """Let gradients be clipped before a fused step.

    A fused optimizer would undo the loss scale of fp16 within its step, so Lightning refuses to clip before it, in bf16
    too, where there is no scale. Without the mark the scaler undoes it beforehand: clipping is right.
    """
    optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]


def set_last_rates(schedule: LRScheduler, rates: Sequence[float]) -> None:
    """Have a schedule say these rates until its next step."""
    schedule._last_lr = list(rates)


@contextmanager
def without_initialization() -> Iterator[None]:
    """Within, weights are not initialised: they hold nothing, and no time goes into large ones."""
    names = [name for name in dir(nn.init) if name.endswith("_") and not name.startswith("_")]
    originals = {name: getattr(nn.init, name) for name in names}
    try:
        for name in names:
            setattr(nn.init, name, _as_it_is)
        yield
    finally:
        for name, original in originals.items():
            setattr(nn.init, name, original)


def _as_it_is(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    return tensor
