"""``attnlab NAME …``: every command under one name. A command's module is imported when it is called.

Nothing but Python's own is imported before: Ctrl-C ends a command cleanly while it still imports what it needs, too.
"""

import sys
from importlib import import_module

from attnlab.interruption import end_at_once

COMMANDS = {
    "train": "train a model, test its best checkpoint, leave a run folder",
    "compare": "put finished runs side by side, with intervals and tests",
    "evaluate": "score a trained run again, on other data or with another search",
    "translate": "translate lines of text with a trained run",
    "predict": "tell the class of lines of text with a trained run",
    "export": "write the weights of a run as safetensors",
    "dashboard": "make a W&B workspace of the runs",
}


def run(name: str) -> None:
    """Do what a command does, from the first moment on."""
    end_at_once()
    import_module(f"attnlab.cli.commands.{name}").main()


def main() -> None:
    """The console command."""
    end_at_once()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h", "help"):
        lines = [f"  attnlab {command:<10} {what}" for command, what in COMMANDS.items()]
        print("\n".join(["A laboratory for attention mechanisms.", "", *lines, "", "attnlab NAME --help tells more."]))
        return
    from attnlab.cli.errors import nearest
    from attnlab.cli.folders import PROJECT

    if name not in COMMANDS:
        print(f"Error: attnlab {name}: no such command; {nearest(name, COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    script = PROJECT / f"{name}.py"
    # Lightning starts further processes of a training with the command line of this one.
    sys.argv = [str(script) if script.is_file() else sys.argv[0], *sys.argv[2:]]
    run(name)


if __name__ == "__main__":
    main()
