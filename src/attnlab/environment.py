"""What this process finds around it: cores; variables and modules, where a library can be told in no other way."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while; then it is what it was, or absent again."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def lean_imports() -> Iterator[None]:
    """For the first import of Lightning or torchmetrics: without that of scipy.signal, a third of it.

    torchmetrics imports scipy.signal for nothing but to put an old name, ``hamming``, back where another package once
    looked for it. Within the block a stand-in has that name; behind it scipy.signal is itself for whoever asks.
    """
    name = "scipy.signal"
    if name in sys.modules or "torchmetrics" in sys.modules:
        yield
        return
    stand_in = ModuleType(name, "not imported yet")
    stand_in.hamming = None  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]
