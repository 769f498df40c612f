"""What goes wrong in somebody's module when it is read or imported, in a line: the file, the line of it, the reason."""

import re
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from attnlab import moved
from attnlab.errors import ConfigError

LOADING = re.compile(r"Error loading '([\w.]+)'")  # of Hydra, around what an import raised
LOADER, OURS = "importlib.", "attnlab."  # modules of the import system itself, and of who calls it


def thing(target: str) -> Any:
    """What a dotted name stands for, imported: ``package.module.Class``, or ``….Class.method``.

    Raises:
        LookupError: there is nothing of this name.
        ConfigError: a module on the way is there, and fails.
    """
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
        except (Exception, SystemExit) as error:  # of somebody else's module, which may do anything
            if isinstance(error, ModuleNotFoundError) and target.startswith(str(error.name)):
                continue
            raise ConfigError(f"{target} cannot be imported: {blame(error, parts[0])}") from error
        for name in parts[cut:]:
            if not hasattr(found, name):
                raise LookupError(f"there is no {target}")
            found = getattr(found, name)
        return found
    raise LookupError(f"there is no {target}")


def blame(error: BaseException, package: str) -> str:
    """Where an import failed, and why: the last line of the package that was still well, what it called aside."""
    if isinstance(error, SyntaxError):
        return misread(error)
    why = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ") + moved.told(error)
    named = [
        (frame, line, str(frame.f_globals.get("__name__"))) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    frames = [(frame, line) for frame, line, name in named if name.partition(".")[0] == package]
    # What only our own code went through (there is no such module) is nobody's line.
    frames = frames or [(frame, line) for frame, line, name in named if not f"{name}.".startswith((LOADER, OURS))]
    return f"{frames[-1][0].f_code.co_filename}, line {frames[-1][1]}: {why}" if frames else why


def misread(error: SyntaxError, path: Path | None = None) -> str:
    """The same of what is no Python."""
    place = f", line {error.lineno}" if error.lineno else ""
    text = f": {line}" if (line := (error.text or "").strip()) else ""
    return f"{error.filename or path}{place}: {error.msg}{text}"


def failed(error: BaseException) -> str | None:
    """Of an error that Hydra has wrapped: where an import failed, and why; None where it was something else."""
    chain = list(causes(error))
    loading = next((found for item in chain if (found := LOADING.match(str(item)))), None)
    return None if loading is None else blame(chain[-1], loading[1].partition(".")[0])


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
