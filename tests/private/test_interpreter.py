"""The end of a process that does not take its modules apart is the end that it would have had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import atexit, sys, threading, time, weakref
from concurrent.futures import ThreadPoolExecutor
from attnlab.private.interpreter import leave

def last():
    time.sleep(0.2)
    sys.stdout.write("a thread;")

class Kept:
    pass

kept = Kept()
weakref.finalize(kept, print, "a finalizer")
atexit.register(print, "registered")
pool = ThreadPoolExecutor(1)
pool.submit(last)
threading.Thread(target=last).start()
print("said", end="")
sys.stderr.write("an error")
LEAVE
"""


PRINTS = """
import sys
from attnlab.private.interpreter import leave
print("said")
LEAVE
"""


def ended(how, script=SCRIPT, **streams):
    process = [sys.executable, "-c", script.replace("LEAVE", how)]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(process, check=False, text=True, timeout=60, env=buffered, **streams)


@pytest.mark.parametrize("code", ["", "0", "3", "-1", "256", "None", "'no'"])
def test_it_is_that_of_an_interpreter(code):
    left, exited = (ended(f"{how}({code})", capture_output=True) for how in ("leave", "sys.exit"))
    assert (left.returncode, left.stdout, left.stderr) == (exited.returncode, exited.stdout, exited.stderr)
    assert left.stdout.count("a thread;") == 2
    assert left.stdout.endswith("registered\na finalizer\n")


@pytest.mark.parametrize("how", ["leave()", "sys.exit()"])
def test_a_full_disk_is_an_error_at_the_end_too(how):
    with Path("/dev/full").open("w") as full:
        assert ended(how, PRINTS, stdout=full, stderr=subprocess.PIPE).returncode == 120
