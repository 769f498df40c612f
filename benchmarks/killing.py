"""A command in a process forked from this one, killed at a moment that was chosen before."""

import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from command_server import become

ROOT = Path(__file__).resolve().parents[1]


class Moment(NamedTuple):
    """When to kill: at an event, by its number in a process, or after so many seconds of the processor."""

    event: int = 0
    seconds: float = float("inf")


def attempt(root: Path, settings: tuple[str, ...], moment: Moment) -> tuple[int, str]:
    """Start the training, in the same folder every time, and kill it. Give the exit code and where it was killed."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "events").unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        with Ending():
            os.setsid()
            streams = {"stdin": root / "nothing", "stdout": root / "out", "stderr": root / "err"}
            for path in streams.values():
                path.write_bytes(b"")
            places = {"ATTNLAB_ROOT": str(root), "ATTNLAB_CACHE": str(root.parent / "cache"), "OMP_NUM_THREADS": "1"}
            command = [str(ROOT / "train.py"), "-m", *settings, f"hydra.sweep.dir={root}/sweep"]
            become({"command": command, "folder": str(root), "environment": os.environ | places,
                    **{name: str(path) for name, path in streams.items()}})  # fmt: skip
            watch(root / "events", moment.event)
            runpy.run_path(sys.argv[0], run_name="__main__")
    seconds, ended = 0.0, (0, 0)
    while ended[0] == 0 and seconds < moment.seconds:
        time.sleep(0.01)
        seconds = max(seconds, used(child))
        ended = os.waitpid(child, os.WNOHANG)
    if ended[0] == 0:
        os.killpg(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)
    (root / "cpu").write_text(str(seconds), "utf-8")
    while used(child, count=True):  # the other processes of a training of several
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(ended[1])
    names = (root / "events").read_text("utf-8").split() if (root / "events").is_file() else []
    return code, (names[-1] if names else "start") if code else ""


class Ending:
    """Leave a forked process without what its parent has still to do."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        code: Any = 0
        if isinstance(error, SystemExit):
            code = error.code or 0
        elif error is not None:
            traceback.print_exception(error)
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def watch(file: Path, last: int) -> None:
    """Count what happens in this process, in a file, and kill its group at the event ``last``."""
    from pytorch_lightning.trainer import call

    stream, count = file.open("a", encoding="utf-8", buffering=1), 0

    def happened(name: str) -> None:
        nonlocal count
        count += 1
        stream.write(name + "\n")
        if count == last:
            os.killpg(0, signal.SIGKILL)

    def around(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*positional: Any, **named: Any) -> Any:
            happened(f"before_{name}")
            result = function(*positional, **named)
            happened(f"after_{name}")
            return result

        return wrapped

    hooks = call._call_callback_hooks

    def hook(trainer: Any, name: str, *positional: Any, **named: Any) -> Any:
        happened(name)
        return hooks(trainer, name, *positional, **named)

    call._call_callback_hooks = hook
    for name in ("fsync", "link", "replace"):
        setattr(os, name, around(name, getattr(os, name)))


def used(group: int, count: bool = False) -> float:
    """Seconds of the processor that the living processes of a group have had; or how many processes there are."""
    ticks = living = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            ticks, living = ticks + int(fields[11]) + int(fields[12]), living + 1
    return living if count else ticks / os.sysconf("SC_CLK_TCK")
