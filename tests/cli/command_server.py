"""Run commands in processes forked from this one, which has imported the libraries already.

Importing torch, Lightning and the rest takes longer than most runs of the tests. A request is a line of JSON on
standard input, its answer a line with the exit code. Nothing is shared with the process that asks; a fork is as fresh
as a new interpreter in all but the modules that are loaded, and runs the script from its first line.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
from pathlib import Path
from typing import TextIO

import attnlab

SECONDS = 300  # that a command may take


def load() -> None:
    """Import the whole package, and with it all that it uses."""
    for module in pkgutil.walk_packages(attnlab.__path__, "attnlab."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    threads = len(list(Path("/proc/self/task").iterdir())) if Path("/proc").is_dir() else 1
    assert threads == 1, f"{threads} threads: a fork would lose all but one"
    gc.collect()
    gc.freeze()  # a fork that looked for garbage among the modules would copy them all


def serve(answers: TextIO) -> dict:
    """Fork for every request. Returns in the forked process, with what it is to run."""
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            return request
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
    sys.exit()


def become(request: dict) -> None:
    """Take over the streams, the environment and the arguments of a command."""
    signal.alarm(SECONDS)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the tests run under nohup
    for stream, name, flags in (
        (0, "stdin", os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY),
    ):  # fmt: skip
        file = os.open(request[name], flags)
        os.dup2(file, stream)
        os.close(file)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (the old one may hold text of the requests)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = request["command"]
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)  # read by an interpreter that starts
    sys.path[:1] = [str(Path(sys.argv[0]).parent), *filter(None, added)]


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import prints is no answer
    load()
    become(serve(answers))
    runpy.run_path(sys.argv[0], run_name="__main__")
