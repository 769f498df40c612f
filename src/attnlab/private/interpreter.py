"""Python's own insides.

* ``threading._shutdown``, ``atexit._run_exitfuncs``: what an interpreter does at its end before it takes all modules
  apart (:func:`leave`). That last part takes 1.9 of the 9.6 s of a training of one step, with torch and Lightning there
  (benchmarks/results/startup.md), and is of no use to a process that ends. mypy leaves in the same way. ``os._exit`` as
  the first function that is registered for the end is public and as quick, but nothing would be done of what was
  registered before (by packages that Python imports when it starts, such as coverage's).
"""

import atexit
import os
import sys
import threading
from typing import NoReturn


def leave(code: str | int | None = None) -> NoReturn:
    """End the process as ``sys.exit`` does in the main thread, but leave the memory to the system.

    Threads that are no daemons are waited for, what was registered to be done at the end is done, streams are flushed.

    Args:
        code: as of ``sys.exit``; a text goes to standard error, with 1.
    """
    if not hasattr(threading, "_shutdown") or not hasattr(atexit, "_run_exitfuncs"):
        sys.exit(code)
    if isinstance(code, str):
        print(code, file=sys.stderr)
    status = int(code is not None) if not isinstance(code, int) else code
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # nobody reads it, no place is left, it is closed
            status = status or 120  # as an interpreter says it
    os._exit(status & 0xFF)
