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
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

SIZE = 512  #: of the matrices that are tried
TIMES = 6
SOONER = 1.5  #: times as fast, where it is worth it: 1.0 to 1.25 with registers of 256 bits, 2.2 to 2.4 with 512
EXACT = 1e-5  #: of a product's size, at most; with operands in bfloat16 it is a hundred times more
ROWS = 32  #: of a product, from which on it is worth it
SHORT = 128  #: words up to which torch's attention written out is faster than its fused one, whose products are small

MKL, ONEDNN = "high", "medium"  #: what torch calls them; on a CPU alone


@cache
def onednn_pays() -> bool:
    """Whether oneDNN multiplies float32 exactly here, and much faster than MKL."""
    # The setting is of a GPU's products, too; and one that was made by torch's newer names cannot be put back.
    if torch.cuda.is_available() or not torch.backends.mkldnn.is_available() or setting() is None:
        return False
    own = torch.Generator().manual_seed(0)
    left, right = (torch.randn(SIZE, SIZE, generator=own) for _ in range(2))
    with torch.no_grad(), products_by(MKL):
        true = left.double() @ right.double()
        best = dict.fromkeys((MKL, ONEDNN), float("inf"))
        for _ in range(TIMES):
            for library in best:
                torch.set_float32_matmul_precision(library)
                start = time.perf_counter()
                found = left @ right
                best[library] = min(best[library], time.perf_counter() - start)
        wrong = float((found.double() - true).abs().max() / true.abs().max())
    return wrong < EXACT and best[MKL] > SOONER * best[ONEDNN]


def setting() -> str | None:
    """What torch goes by; None where it does not say, as somebody has set single parts of it."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


def choose_library() -> None:
    """Let all products of this process be the faster library's; on a GPU TF32 is, at no cost in scores."""
    torch.set_float32_matmul_precision(ONEDNN if onednn_pays() else MKL)


@contextmanager
def products_by(library: str) -> Iterator[None]:
    """Within, products are by MKL or by oneDNN, if that is a choice to be made here."""
    before = setting()
    if before is not None:
        torch.set_float32_matmul_precision(library)
    try:
        yield
    finally:
        if before is not None:
            torch.set_float32_matmul_precision(before)


def products_of(rows: int, device: torch.device) -> AbstractContextManager[None]:
    """Within, products are of so many rows."""
    if device.type != "cpu" or not onednn_pays():
        return nullcontext()
    return products_by(MKL if rows < ROWS else ONEDNN)


def fused_attention(query: Tensor, keys: Tensor, values: Tensor, *masked: Any, **settings: Any) -> Tensor:
    """``F.scaled_dot_product_attention`` by the kernel that is faster with the library at work."""
    short = query.device.type == "cpu" and keys.size(-2) <= SHORT and torch.backends.cuda.flash_sdp_enabled()
    if not short or not onednn_pays() or setting() != ONEDNN:
        return F.scaled_dot_product_attention(query, keys, values, *masked, **settings)
    torch.backends.cuda.enable_flash_sdp(False)  # of a CPU's, too
    try:
        return F.scaled_dot_product_attention(query, keys, values, *masked, **settings)
    finally:
        torch.backends.cuda.enable_flash_sdp(True)
