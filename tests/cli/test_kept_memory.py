"""What malloc is told, in processes of their own, as it stays told."""

import os
import platform
import subprocess
import sys

import pytest

from attnlab.cli.kept_memory import VARIABLES

FAULTS = """
import resource, torch
from attnlab.cli.kept_memory import keep_freed_memory
print(keep_freed_memory())
def blocks():
    return [torch.zeros(2**20) for _ in range(6)]
for _ in range(3):
    blocks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    blocks()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")


def run(**variables):
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    asked = [sys.executable, "-c", FAULTS]
    return subprocess.run(asked, env=clean | variables, capture_output=True, text=True, check=True).stdout.split()


@glibc
@pytest.mark.long  # imports torch
def test_what_was_freed_is_taken_again_without_page_faults():
    kept, faults = run()
    assert kept == "True"
    assert int(faults) < 500  # of 30,720 pages


@pytest.mark.long
def test_who_has_set_malloc_is_obeyed():
    assert run(MALLOC_TRIM_THRESHOLD_="1000000")[0] == "False"
