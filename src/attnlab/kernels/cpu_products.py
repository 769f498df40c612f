"""Which library multiplies float32 matrices on a CPU.

torch asks MKL, which on AMD's processors does without half of the width of their AVX-512 registers: 104 GFLOP/s on one
core of an EPYC of the year 2024 (Zen 5), where oneDNN, which is a part of torch as well, comes to 240. torch goes to
oneDNN where it may compute products of float32 in bfloat16 (``torch.set_float32_matmul_precision("medium")``); oneDNN
itself does that on processors with tiles (AMX) alone. So that is the setting where products are found to be as exact as
ever and much sooner there, which is tried once in a process. Calling oneDNN takes 10 us more than calling MKL, and
shapes that it meets for the first time more than that: products of few rows stay where they were.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from threading import RLock, current_thread, main_thread
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

SIZE = 256  #: of the matrices that are tried: a third of a millisecond, so that some of many trials are left alone
TIMES = 40
SOONER = 1.5  #: times as fast, where it is worth it: 1.0 to 1.25 with registers of 256 bits, 2.2 to 2.4 with 512
EXACT = 1e-5  #: of a product's size, at most; with operands in bfloat16 it is a hundred times more
ROWS = 32  #: of a product, from which on it is worth it
SHORT = 128  #: words up to which torch's attention written out is faster than its fused one, whose products are small

#: What torch calls them: float32 exactly, or in bfloat16 where the library can.
MKL, ONEDNN = "ieee", "bf16"
matmul: Any = cast(Any, torch.backends.mkldnn).matmul
trying = RLock()


def onednn_pays() -> bool:
    """Whether oneDNN multiplies float32 exactly here, and much faster than MKL; found out once a process."""
    with trying:
        return _onednn_pays()


@cache
def _onednn_pays() -> bool:
    # With a GPU the setting that stays, ``choose_library``'s, would be that of its products, too.
    if torch.cuda.is_available() or not torch.backends.mkldnn.is_available():
        return False
    own = torch.Generator().manual_seed(0)
    left, right = (torch.randn(SIZE, SIZE, generator=own, dtype=torch.float32, device="cpu") for _ in range(2))
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        true = left.double() @ right.double()
        best = dict.fromkeys((MKL, ONEDNN), float("inf"))
        # Of one thread the processor's time: a busy machine must not choose otherwise, or a resumed run would round
        # otherwise than before.
        clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
        for _ in range(TIMES):
            for library in best:
                with products_by(library):
                    start = clock()
                    found = left @ right
                    best[library] = min(best[library], clock() - start)
        wrong = float((found.double() - true).abs().max() / true.abs().max())
    return wrong < EXACT and best[MKL] > SOONER * best[ONEDNN]


def choose_library() -> None:
    """Let all products of this process be the faster library's; on a GPU TF32 is, at no cost in scores."""
    torch.set_float32_matmul_precision("medium" if onednn_pays() else "high")


@contextmanager
def products_by(library: str) -> Iterator[None]:
    """Within, products of float32 are by MKL or by oneDNN."""
    before = matmul.fp32_precision
    matmul.fp32_precision = library
    try:
        yield
    finally:
        matmul.fp32_precision = before


def products_of(rows: int, device: torch.device) -> AbstractContextManager[None]:
    """Within, products are of so many rows. Threads beside the main one leave the setting, which all share, alone."""
    if device.type != "cpu" or current_thread() is not main_thread() or not onednn_pays():
        return nullcontext()
    return products_by(MKL if rows < ROWS else ONEDNN)


def fused_attention(query: Tensor, keys: Tensor, values: Tensor, *masked: Any, **settings: Any) -> Tensor:
    """``F.scaled_dot_product_attention`` by the kernel that is faster with the library at work."""
    kinds = torch.backends.cuda  # of a CPU's, too
    short = query.device.type == "cpu" and keys.size(-2) <= SHORT and matmul.fp32_precision == ONEDNN
    both = short and kinds.flash_sdp_enabled() and kinds.math_sdp_enabled() and current_thread() is main_thread()
    if not both or not onednn_pays():
        return F.scaled_dot_product_attention(query, keys, values, *masked, **settings)
    kinds.enable_flash_sdp(False)
    try:
        return F.scaled_dot_product_attention(query, keys, values, *masked, **settings)
    finally:
        kinds.enable_flash_sdp(True)
