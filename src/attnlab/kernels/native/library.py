"""Code in C for a search, compiled once on the machine that runs it.

torch's operators do the same where there is no compiler, off x86-64 and Unix, without AVX2, and where the variable
``ATTNLAB_NATIVE`` is 0: this is faster, and rounds otherwise. What is compiled is kept in ``$ATTNLAB_CACHE/native``,
else in the user's cache, under a name that says what it was made of: the source, the compiler, the processor.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

SOURCE = Path(__file__).with_name("search.c")
FLAGS = ("-O3", "-march=native", "-fno-fast-math", "-std=gnu11", "-shared", "-fPIC", "-Wno-psabi")
SECONDS = 60.0  #: that compiling may take; it takes one
EXACT = 1e-4  #: of the product that a library is tried with

log = logging.getLogger(__name__)
integer, pointer = ctypes.c_int64, ctypes.c_void_p


class Product(ctypes.Structure):
    """``product`` of search.c."""

    _fields_ = [("panels", pointer), ("bias", pointer), ("out", integer), ("in", integer)]


@cache
def library() -> ctypes.CDLL | None:
    """The compiled code; None where there is none."""
    if os.environ.get("ATTNLAB_NATIVE") == "0" or not suits():
        return None
    try:
        found = declared(ctypes.CDLL(str(compiled(shlex.split(os.environ.get("CC", "").strip() or "cc")))))
        return found if works(found) else None
    except Exception as error:  # no compiler, no place, no home: whatever it is, there is another way
        log.debug("search.c is not used: %s", error)
        return None


def code() -> ctypes.CDLL | None:
    """The same while a search is at work, or whoever else wants no gradients: counts of FLOPs see torch's operators."""
    return library() if torch.is_inference_mode_enabled() else None


def suits() -> bool:
    """Whether this is a machine that the code was tried on."""
    x86 = platform.machine() in ("x86_64", "AMD64") and os.name == "posix"
    return x86 and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


def compiled(compiler: Sequence[str]) -> Path:
    """The library, compiled unless it has been.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be.
    """
    version = subprocess.run([*compiler, "--version"], capture_output=True, check=True, timeout=SECONDS).stdout
    made_of = (SOURCE.read_bytes(), version, processor().encode(), " ".join(FLAGS).encode())
    name = hashlib.sha256(b"\0".join(made_of)).hexdigest()[:20]
    place = folder() / f"search-{name}.so"
    for path in (place.parent, place):
        if path.exists() and not ours(path):
            raise PermissionError(f"{path} can be written to by others: what it holds would be executed")
    if not place.is_file():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as beside:  # another process may be at it
            made = Path(beside, place.name)
            command = [*compiler, *FLAGS, "-o", str(made), str(SOURCE), "-lm"]
            subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
            made.replace(place)
    return place


def folder() -> Path:
    if own := os.environ.get("ATTNLAB_CACHE"):
        return Path(own) / "native"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "attnlab", "native")


def ours(path: Path) -> bool:
    """Whether nobody else, but root, can have put something there."""
    status = path.stat()
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def processor() -> str:
    """What ``-march=native`` goes by."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return f"{platform.processor()} {torch.backends.cpu.get_cpu_capability()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("vendor_id", "model", "cpu family", "flags"))}))


def declared(found: ctypes.CDLL) -> ctypes.CDLL:
    """With the types of its functions, as search.c has them."""
    found.attnlab_columns.argtypes, found.attnlab_columns.restype = [], integer
    found.attnlab_lay_out.argtypes, found.attnlab_lay_out.restype = [pointer, integer, integer, pointer], None
    found.attnlab_room.argtypes, found.attnlab_room.restype = [pointer, integer], integer
    found.attnlab_step.argtypes, found.attnlab_step.restype = [pointer, integer, integer, pointer], None
    found.attnlab_source_room.argtypes, found.attnlab_source_room.restype = [pointer, integer], integer
    found.attnlab_read.argtypes, found.attnlab_read.restype = [pointer, integer, integer, pointer], None
    found.attnlab_product.argtypes = [pointer, pointer, integer, pointer, integer]
    found.attnlab_product.restype = None
    found.attnlab_log_softmax.argtypes, found.attnlab_log_softmax.restype = [pointer, integer, integer], None
    found.attnlab_best.argtypes = [pointer, pointer, integer, integer, integer, integer, pointer, pointer]
    found.attnlab_best.restype = None
    return found


def works(found: ctypes.CDLL) -> bool:
    """Whether it multiplies, and knows what is no number."""
    own = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(rows, 48, generator=own, dtype=torch.float32, device="cpu") for rows in (11, 80))
    wide, laid_out = floats(11 * 80).view(11, 80), panels(weight, found)
    asked = Product(laid_out.data_ptr(), None, 80, 48)
    found.attnlab_product(ctypes.byref(asked), x.data_ptr(), 11, wide.data_ptr(), 0)
    logits = floats(80).zero_().view(2, 40)
    logits[1, 39] = float("nan")
    found.attnlab_log_softmax(logits.data_ptr(), 2, 40)
    nan = logits.isnan().all(1).tolist() == [False, True]
    return nan and bool((wide.double() - x.double() @ weight.double().t()).abs().max() < EXACT)


def panels(weight: Float[Tensor, "O I"], of: ctypes.CDLL) -> Float[Tensor, "P I C"]:
    """A weight as products take it: panels of some of its rows, zeros in what is left of the last one."""
    columns, weight = of.attnlab_columns(), weight.contiguous()
    laid_out = weight.new_empty(-(-weight.size(0) // columns), weight.size(1), columns)
    of.attnlab_lay_out(weight.data_ptr(), *weight.shape, laid_out.data_ptr())
    return laid_out


def floats(count: int) -> Tensor:
    """Room for numbers of the code, whatever torch's usual ones are."""
    return torch.empty(count, dtype=torch.float32, device="cpu")


def plain(*tensors: Tensor) -> bool:
    """Whether they are as the code reads them: float32, one number after another, on the CPU."""
    return all(
        tensor.dtype == torch.float32 and tensor.device.type == "cpu" and tensor.is_contiguous() for tensor in tensors
    )
