"""Memory that a search frees stays with the process of a command, for the next step and the next batch.

glibc's malloc gives large blocks back to the system as soon as they are freed, and every page of a new one costs a
page fault: 8 ms a batch of 64 sentences in a greedy search of a small Transformer, 20 ms in a beam of 5. With
``mallopt`` (see its manual page) up to ``KEPT`` bytes are kept instead. Who has set malloc by its own variables is
obeyed. A process that only imports this package is left as it is.
"""

import ctypes
import os
import sys
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  #: of malloc.h
KEPT = 256 * 2**20
LARGEST = 32 * 2**20  #: the largest threshold that malloc takes for blocks of their own
VARIABLES = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"


@cache
def keep_freed_memory() -> bool:
    """Do so from now on; False where it was not to be, or malloc is another one."""
    if sys.platform != "linux" or any(name in os.environ for name in VARIABLES):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and all((mallopt(MMAP_THRESHOLD, LARGEST), mallopt(TRIM_THRESHOLD, KEPT)))
