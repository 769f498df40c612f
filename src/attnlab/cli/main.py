"""``attnlab NAME …``: every command under one name. A command's module is imported when it is called.

Nothing but Python's own is imported before: Ctrl-C ends a command cleanly while it still imports what it needs, too.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from attnlab.interruption import end_at_once
from attnlab.private.interpreter import leave

COMMANDS = {
    "train": "train a model, test its best checkpoint, leave a run folder",
    "compare": "put finished runs side by side, with intervals and tests",
    "evaluate": "score a trained run again, on other data or with another search",
    "translate": "translate lines of text with a trained run",
    "predict": "tell the class of lines of text with a trained run",
    "align": "link the words of sentence pairs by the attention of a trained run",
    "view": "what runs look at, in one HTML file that needs no network",
    "play": "ask runs live, in a page of your browser",
    "links": "make one word alignment of two directions, score against gold links",
    "explain": "measure whether the attention of a trained run explains what it says",
    "export": "write the weights of a run as safetensors",
    "new": "write the files of a part of your own, with its test: a mechanism, an encoder, …",
    "dashboard": "make a W&B workspace of the runs",
}


def run(name: str) -> NoReturn:
    """Do what a command does, from the first moment of a process to its last."""
    end_at_once()
    with suppress(FileNotFoundError):  # told when it is missed
        if sys.modules["__main__"].__spec__ is not None and sys.path[0] == str(Path.cwd()):
            sys.path.append(sys.path.pop(0))  # of `python -m`: nothing of the current folder stands for a library
    code: str | int | None = None
    try:
        import_module(f"attnlab.cli.commands.{name}").main()
    except SystemExit as stop:
        code = stop.code
    leave(code)


@contextmanager
def typed(line: Sequence[str]) -> Iterator[None]:
    """Within, this is the command line: Hydra reads it there, and Lightning, to start further processes."""
    main = sys.modules["__main__"]
    before, spec = sys.argv, main.__spec__
    sys.argv = list(line)
    restart_by(line[0])
    try:
        yield
    finally:
        sys.argv, main.__spec__ = before, spec


def main() -> None:
    """The console command."""
    end_at_once()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h", "help"):
        lines = [f"  attnlab {command:<10} {what}" for command, what in COMMANDS.items()]
        print("\n".join(["A laboratory for attention mechanisms.", "", *lines, "", "attnlab NAME --help tells more."]))
        return
    if name not in COMMANDS:
        from attnlab.cli.errors import nearest

        print(f"Error: attnlab {name}: no such command; {nearest(name, COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    del sys.argv[1]
    restart_by(name)
    run(name)


def restart_by(name: str) -> None:
    """Let Lightning, where a command uses it, start further processes as ``python -m attnlab.cli.scripts.NAME …``."""
    if (spec := find_spec(f"attnlab.cli.scripts.{name}")) is not None:
        sys.modules["__main__"].__spec__ = spec


if __name__ == "__main__":
    main()
