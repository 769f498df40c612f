"""What matrix products run at on this machine: the measure that a training's own rate is held against.

The rate is that of the fastest of a few products of square matrices, with the threads and the precision that the
process has, by the library that a training takes. A busy machine can only make it look slower than it is, so the best
of all measurements is what counts: it is kept in a file from run to run, for each device, number of threads, precision
and version of torch.
"""

import json
import math
import platform
import time
from contextlib import suppress
from pathlib import Path

import torch

from attnlab.atomic import replacing
from attnlab.kernels.cpu_products import products_of

SECONDS = 0.2  #: a measurement takes about as long
SHARE = 0.05  #: of the training it is for, at most; of a short one only small products are tried
SIZES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}
SLOW = 0.5  #: of float32's rate: what a busy machine does to one measurement of two is less


def measure(device: torch.device, dtype: torch.dtype, seconds: float = SECONDS) -> float:
    """FLOP/s of the fastest product found in so many seconds; larger ones are left out when these are over."""
    sizes = SIZES.get(device.type, SIZES["cpu"])
    best, until = 0.0, time.perf_counter() + seconds
    with torch.no_grad(), products_of(sizes[0], device):
        for size in sizes:
            if best and time.perf_counter() > until:
                break
            best = max(best, _rate(size, device, dtype, seconds / len(sizes)))
    return best


def slower(device: torch.device, dtype: torch.dtype) -> float | None:
    """The rate of products in ``dtype`` as a share of float32's, where it is clearly less; None where it is not.

    A processor that has no instructions for a type still computes it, at a tenth of the speed or less.
    """
    if dtype == torch.float32:
        return None
    size = SIZES.get(device.type, SIZES["cpu"])[0]
    with torch.no_grad():
        asked, plain = (_rate(size, device, numbers, SECONDS / 2) for numbers in (dtype, torch.float32))
    return asked / plain if asked < SLOW * plain else None


def _rate(size: int, device: torch.device, dtype: torch.dtype, seconds: float) -> float:
    # Not of ones: a GPU multiplies numbers that never change at less power, and so faster than any real ones. And from
    # a generator of its own: a training's random numbers are not to depend on whether this is measured.
    own = torch.Generator(device).manual_seed(0)
    left, right, product = (torch.randn(size, size, generator=own, device=device, dtype=dtype) for _ in range(3))
    best, until = float("inf"), time.perf_counter() + seconds
    while True:
        _wait(device)
        start = time.perf_counter()
        torch.mm(left, right, out=product)
        _wait(device)
        end = time.perf_counter()
        best = min(best, end - start)
        if end > until:
            return 2 * size**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak(device: torch.device, dtype: torch.dtype, cache: Path | None, trained: float = math.inf) -> float:
    """The best rate measured so far, this time's included.

    Args:
        device: where.
        dtype: of the products.
        cache: folder of the file with earlier rates; None measures only.
        trained: seconds that the training has taken, of which this takes but a share.
    """
    now = measure(device, dtype, min(SECONDS, SHARE * trained))
    if cache is None:
        return now
    file, name = cache / "gemm_peak.json", _name(device, dtype)
    known = _read(file)
    best = max(now, known.get(name, 0.0))
    if best > known.get(name, 0.0):
        # A measure that is not kept is a measure less: no reason to end a training.
        with suppress(OSError), replacing(file) as temporary:
            temporary.write_text(json.dumps({**known, name: best}, indent=1), encoding="utf-8")
    return best


def _read(file: Path) -> dict[str, float]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {name: rate for name, rate in known.items() if isinstance(rate, float) and 0 < rate < math.inf}


def _name(device: torch.device, dtype: torch.dtype) -> str:
    threads = f"{torch.get_num_threads()} threads of {platform.node()} ({torch.backends.cpu.get_cpu_capability()})"
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else threads
    return f"{where}, {str(dtype).removeprefix('torch.')}, torch {torch.__version__}"
